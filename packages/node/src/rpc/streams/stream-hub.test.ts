import { type Address, Height, type Log } from '@quoin/protocol'
import { describe, expect, it, vi } from 'vitest'
import { appendBlock } from '../../../test/blocks.ts'
import { openTestNode } from '../../../test/chain.ts'
import { ManualClock } from '../../../test/clock.ts'
import { crypto, oneValidator } from '../../../test/fixture.ts'
import { raws } from '../../../test/log-chain.ts'
import { testBackend } from '../../../test/rpc.ts'
import type { ReceivedBatch, StreamNews } from '../../../test/stream-client.ts'
import { BlockTexts } from '../block-texts.ts'
import type { Sink } from '../hub.ts'
import { DEFAULT_RPC_LIMITS, type RpcLimits } from '../limits.ts'
import { Turns } from '../turns.ts'
import { positionOf, readCursor } from './cursor.ts'
import { LogSource } from './log-source.ts'
import { beginningOf } from './position.ts'
import { StreamHub } from './stream-hub.ts'

const LIMITS: RpcLimits = { ...DEFAULT_RPC_LIMITS, streamWindowMax: 2, streamItemsMax: 3 }
const log: Log = { address: `0x${'aa'.repeat(20)}` as Address, topics: [], data: new Uint8Array(0) }

async function open(limits: Partial<RpcLimits> = {}) {
  const node = await openTestNode({ crypto, validators: oneValidator })
  const backend = testBackend(node, crypto)
  const clock = new ManualClock()
  const all = { ...LIMITS, ...limits }
  const turns = new Turns(clock, all.sliceMs)
  const failures: unknown[] = []
  const terms = { held: 0 }
  const hub = new StreamHub({
    ...{ backend, clock, limits: all, turns, texts: new BlockTexts(1_000_000) },
    genesis: () => node.store.header(Height(0))!.hash,
    takeTerms(_, count) {
      terms.held += count
      return () => {
        terms.held -= count
      }
    },
    onFailure: (failure) => failures.push(failure),
  })
  let used = 0
  const append = (...counts: number[]) =>
    appendBlock(
      node,
      crypto,
      counts.map((count) => ({ raw: raws[used++ % raws.length]!, logs: new Array<Log>(count).fill(log) })),
    )
  const source = (byte = 'aa') => new LogSource(crypto, { addresses: [`0x${byte.repeat(20)}` as Address], topics: [] })
  const settled = async () => {
    for (let rounds = 0; rounds < 4 || turns.waiting > 0; rounds++) await new Promise((resolve) => setImmediate(resolve))
  }
  /** Appends a block with this many matching logs, and lets everything happen. */
  const block = async (count: number) => {
    await append(count)
    hub.wake()
    await settled()
  }
  const begin = (from = beginningOf(0), sink = sinkOf(), streamed = source()) => {
    const closed = vi.fn()
    const stream = hub.open(streamed, from, sink.sink, closed)
    stream.begin()
    return { ...sink, stream, closed }
  }
  return { node, hub, clock, turns, failures, terms, append, block, settled, source, begin }
}

function sinkOf(remote = '192.0.2.1', connection = 1) {
  const news: StreamNews[] = []
  const sink = {
    ...{ client: { remote, connection }, isFull: false },
    send: (text: string) => void news.push((JSON.parse(text) as { params: StreamNews }).params),
  }
  return {
    sink: sink as Sink & { isFull: boolean },
    news,
    batches: () => news.flatMap(({ result }) => result ?? []),
    /** Heights of the blocks of all items. */
    heights: () => news.flatMap(({ result }) => result?.items ?? []).map(({ blockNumber }) => Number(blockNumber)),
  }
}

const startOf = (batch: Pick<ReceivedBatch, 'cursor'>) => {
  const read = readCursor(batch.cursor)
  return read.ok ? positionOf(read.value, 'logs') : undefined
}

describe('streams', () => {
  it('begin at their position, when their client knows them, and follow the chain', async () => {
    const { hub, append, block, settled, source } = await open()
    await append(1)
    await append(1)
    const { sink, heights, batches } = sinkOf()
    const stream = hub.open(source(), beginningOf(2), sink, () => {})
    hub.wake()
    await settled()
    expect(batches()).toEqual([])
    stream.begin()
    await settled()
    expect(heights()).toEqual([2])
    stream.acknowledge(1)
    await block(1)
    expect(heights()).toEqual([2, 3])
    expect(batches().map(({ sequence, height, head }) => [sequence, height, head.height])).toEqual([
      [1, 2, 2],
      [2, 3, 3],
    ])
  })

  it('at the same position share the batch, also if there are many', async () => {
    const { begin, block, settled, node } = await open()
    const receipts = vi.spyOn(node.store, 'receipts')
    const many = Array.from({ length: 1_000 }, (_, i) => begin(beginningOf(1), sinkOf('192.0.2.1', i)))
    await block(2)
    await settled()
    for (const { heights } of many) expect(heights()).toEqual([1, 1])
    expect(receipts).toHaveBeenCalledTimes(1)
    expect(new Set(many.map(({ batches }) => JSON.stringify(batches()))).size).toBe(1)
  })

  it('wait after a window of batches until one is acknowledged', async () => {
    const { begin, append, settled, block, clock } = await open()
    for (let i = 0; i < 4; i++) await append(3)
    const { stream, heights, batches } = begin()
    await settled()
    expect(heights()).toEqual([1, 1, 1, 2, 2, 2])
    // Empty batches say where the head is, and the cursor stays.
    await block(0)
    clock.advance(LIMITS.streamBeatMs)
    await settled()
    const [, last, beat] = batches()
    expect([batches().length, beat?.sequence, beat?.items, beat?.cursor === last?.cursor, beat?.head.height]).toEqual([
      3,
      undefined,
      [],
      true,
      5,
    ])
    stream.acknowledge(1)
    await settled()
    expect(heights()).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3])
    stream.acknowledge(3)
    await settled()
    expect(heights().slice(9)).toEqual([4, 4, 4])
    expect(batches().map(({ sequence }) => sequence)).toEqual([1, 2, undefined, 3, 4])
    expect(() => stream.acknowledge(5)).toThrow(/no batch 5 was sent yet: the last one has the number 4/)
    stream.acknowledge(1)
    stream.acknowledge(4)
  })

  it('are closed after a time without acknowledgement, with the cursor that was acknowledged, and hold nothing more', async () => {
    const { begin, append, settled, clock, hub, terms } = await open()
    for (let i = 0; i < 4; i++) await append(2)
    const { stream, news, closed, batches } = begin()
    await settled()
    clock.advance(LIMITS.streamStallMs - 1)
    await settled()
    stream.acknowledge(1)
    await settled()
    const [first] = batches()
    clock.advance(LIMITS.streamStallMs - 1)
    await settled()
    expect([hub.count, terms.held]).toEqual([1, 1])
    clock.advance(LIMITS.streamBeatMs / 2)
    await settled()
    expect(news.at(-1)).toEqual({
      subscription: stream.id,
      closed: {
        reason: 'slow-reader',
        message: expect.stringMatching(/no batch was acknowledged for 60000 ms/),
        cursor: first!.cursor,
      },
    })
    expect(closed).toHaveBeenCalledWith(stream.id)
    expect([hub.count, terms.held]).toEqual([0, 0])
  })

  it('send an empty batch when they have been silent, with the position that was searched', async () => {
    const { begin, block, clock, settled } = await open()
    const { batches } = begin()
    for (let i = 0; i < 3; i++) await block(0)
    expect(batches()).toEqual([])
    clock.advance(LIMITS.streamBeatMs)
    await settled()
    expect(batches()).toMatchObject([{ items: [], height: 3, head: { height: 3 } }])
    expect(startOf(batches()[0]!)).toEqual(beginningOf(4))
    clock.advance(LIMITS.streamBeatMs + LIMITS.streamBeatMs / 4)
    await settled()
    expect(batches()).toHaveLength(2)
  })

  it('of a client that does not read get nothing, and continue when it has read', async () => {
    const { begin, block, clock, settled, node } = await open()
    const { sink, stream, batches, heights } = begin()
    sink.isFull = true
    const receipts = vi.spyOn(node.store, 'receipts')
    await block(1)
    await block(1)
    clock.advance(LIMITS.streamBeatMs * 2)
    await settled()
    expect(batches()).toEqual([])
    expect(receipts).not.toHaveBeenCalled()
    sink.isFull = false
    stream.resume()
    await settled()
    expect(heights()).toEqual([1, 2])
  })

  it('end at once, in the middle of a batch too, and free everything', async () => {
    const { begin, append, clock, hub, terms, turns, settled, node } = await open()
    for (let i = 0; i < 9; i++) await append(1)
    const bloom = vi.spyOn(node.store, 'logsBloom').mockImplementation((height) => {
      clock.advance(LIMITS.sliceMs)
      return node.store.header(height)?.header.logsBloom
    })
    const { stream, batches } = begin()
    const next = vi.spyOn(turns, 'next').mockImplementation(async () => {
      stream.end()
      stream.end()
    })
    await settled()
    expect(next).toHaveBeenCalledTimes(1)
    expect([batches(), bloom.mock.calls.length, hub.count, terms.held]).toEqual([[], 2, 0, 0])
  })

  it('that read old blocks do not delay those at the head', async () => {
    const { begin, append, block, clock, source, node, turns, settled } = await open({ streamLaneMax: 1, streamSearchMs: 10_000 })
    for (let i = 0; i < 80; i++) await append()
    const head = begin(beginningOf(81), sinkOf('192.0.2.2', 2))
    const bloom = vi.spyOn(node.store, 'logsBloom').mockImplementation((height) => {
      clock.advance(LIMITS.sliceMs)
      return node.store.header(height)?.header.logsBloom
    })
    // The turn of the replay does not come.
    let give: () => void = () => {}
    const next = turns.next.bind(turns)
    const waits = vi
      .spyOn(turns, 'next')
      .mockImplementation((client) => (client.connection === 3 ? new Promise((resolve) => (give = resolve)) : next(client)))
    const old = begin(beginningOf(1), sinkOf('192.0.2.3', 3), source('bb'))
    await vi.waitUntil(() => waits.mock.calls.some(([{ connection }]) => connection === 3))
    bloom.mockRestore()
    await block(1)
    await block(1)
    expect(head.heights()).toEqual([81, 82])
    old.stream.end()
    give()
    await settled()
  })

  it('beyond the new head are closed when the chain was rewound, and others continue', async () => {
    const { begin, block, hub, settled, node } = await open()
    for (let i = 0; i < 3; i++) await block(1)
    const unread = sinkOf('192.0.2.2', 2)
    unread.sink.isFull = true
    const [beyond, before] = [begin(beginningOf(3)), begin(beginningOf(1), unread)]
    await settled()
    expect(beyond.heights()).toEqual([3])
    const { epoch } = hub
    const header = node.store.header.bind(node.store)
    vi.spyOn(node.store, 'head', 'get').mockReturnValue(header(Height(2))!)
    vi.spyOn(node.store, 'header').mockImplementation((height) => (height > 2 ? undefined : header(height)))
    hub.rewind({ to: Height(2) })
    expect(beyond.news.at(-1)?.closed).toMatchObject({
      reason: 'cursor-unknown',
      message: expect.stringMatching(/reverted to block 2/),
    })
    expect(startOf({ cursor: beyond.news.at(-1)!.closed!.cursor! })).toEqual(beginningOf(3))
    expect(hub.epoch).not.toBe(epoch)
    before.sink.isFull = false
    before.stream.resume()
    await settled()
    expect(before.heights().slice(0, 2)).toEqual([1, 2])
    expect(before.closed).not.toHaveBeenCalled()
  })

  it('whose batch cannot be made are closed, with those that wait for it, and others continue', async () => {
    const { begin, append, block, failures, hub, source, node, settled } = await open()
    await append(1)
    const well = begin(beginningOf(2), sinkOf('192.0.2.2', 2), source('aa'))
    const receipts = vi.spyOn(node.store, 'receipts').mockImplementation(() => {
      throw new Error('unreadable')
    })
    const broken = [begin(beginningOf(1)), begin(beginningOf(1))]
    await settled()
    for (const { news, stream } of broken)
      expect(news).toEqual([
        { subscription: stream.id, closed: { reason: 'failed', message: expect.any(String), cursor: expect.any(String) } },
      ])
    expect(failures).toMatchObject([{ message: 'unreadable' }])
    receipts.mockRestore()
    await block(1)
    expect([hub.count, well.heights()]).toEqual([1, [2]])
  })

  it('are limited per address and in all, and count their terms once per address', async () => {
    const { begin, hub, source, terms } = await open({ streamsMax: 3, streamsPerRemoteMax: 2 })
    const [first] = [begin(), begin()]
    expect(terms.held).toBe(1)
    expect(() => begin()).toThrow(/too many streams/)
    begin(beginningOf(0), sinkOf('192.0.2.2', 2))
    expect(terms.held).toBe(2)
    expect(() => hub.open(source(), beginningOf(0), sinkOf('192.0.2.3', 3).sink, () => {})).toThrow(/all clients together have 3/)
    first!.stream.end()
    begin(beginningOf(0), sinkOf('192.0.2.3', 3))
  })
})
