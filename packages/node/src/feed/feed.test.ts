import { Height } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openTestNode, type TestNode, testAccounts, testTransfers } from '../../test/chain.ts'
import { crypto, oneValidator as validators } from '../../test/fixture.ts'
import { FEED_LIMITS } from './feed.ts'
import type { Cursor, FeedItem, Projection } from './types.ts'

const heads: Projection<number> = ({ header }) => [{ index: 0, value: header.number }]
/** As many items as a block's height modulo 3, with gaps in their indexes, as a log filter leaves them. */
const some: Projection<string> = ({ header }) =>
  Array.from({ length: header.number % 3 }, (_, i) => ({ index: 2 * i + 1, value: `${header.number}.${2 * i + 1}` }))

async function take<T>(stream: AsyncIterable<FeedItem<T>>, count: number): Promise<FeedItem<T>[]> {
  const items: FeedItem<T>[] = []
  for await (const item of stream) if (items.push(item) === count) break
  return items
}

const open = () => openTestNode({ crypto, validators })
const cursor = (height: number, index = 0): Cursor => ({ height: Height(height), index })
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('subscribe', () => {
  it('replays from a cursor, in the middle of a block too, and goes on live', async () => {
    const node = await open()
    for (let i = 0; i < 5; i++) await node.produce()
    const controller = new AbortController()
    const stream = node.feed.subscribe(some, cursor(2, 2), controller.signal)
    const items = take(stream, 4)
    await turn()
    await node.produce()
    await node.produce()
    expect((await items).map(({ value }) => value)).toEqual(['2.3', '4.1', '5.1', '5.3'])
    expect((await items)[0]?.cursor).toEqual(cursor(2, 3))
    controller.abort()
  })

  it('begins after the head as it is when subscribing, not when the first item is asked for', async () => {
    const node = await open()
    await node.produce()
    const stream = node.feed.subscribe(heads, 'next', new AbortController().signal)
    await node.produce()
    await node.produce()
    expect((await take(stream, 2)).map(({ value }) => value)).toEqual([2, 3])
  })

  it('waits for a cursor that lies ahead of the chain', async () => {
    const node = await open()
    const first = take(node.feed.subscribe(heads, cursor(3), new AbortController().signal), 1)
    for (let i = 0; i < 4; i++) await node.produce()
    expect((await first)[0]?.value).toBe(3)
  })

  it('ends when its signal is aborted: while it waits, while it replays, and before it began', async () => {
    const node = await open()
    const waiting = new AbortController()
    const ended = take(node.feed.subscribe(heads, 'next', waiting.signal), 9)
    await turn()
    waiting.abort()
    expect(await ended).toEqual([])
    for (let i = 0; i < 3; i++) await node.produce()
    const replaying = new AbortController()
    const seen: number[] = []
    for await (const { value } of node.feed.subscribe(heads, cursor(0), replaying.signal)) {
      seen.push(value)
      if (value === 1) replaying.abort()
    }
    expect(seen).toEqual([0, 1])
    expect(await take(node.feed.subscribe(heads, cursor(0), AbortSignal.abort()), 9)).toEqual([])
  })

  it('gives every subscriber every item once, in order, whatever the interleaving', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.record({ from: fc.integer({ min: 0, max: 6 }), slow: fc.boolean() }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 3 }),
        async (scheduler, subscribers, before) => {
          const node = await open()
          for (let i = 0; i < before; i++) await node.produce()
          const last = 7
          const controller = new AbortController()
          const expected = (from: number): string[] =>
            Array.from({ length: last + 1 - from }, (_, i) => from + i).flatMap((h) =>
              ['1', '3'].slice(0, h % 3).map((i) => `${h}.${i}`),
            )
          const runs = subscribers.map(async ({ from, slow }) => {
            const seen: string[] = []
            for await (const { value } of node.feed.subscribe(some, cursor(from), controller.signal)) {
              seen.push(value)
              if (slow) await scheduler.schedule(Promise.resolve())
              if (seen.length === expected(from).length) break
            }
            expect(seen).toEqual(expected(from))
          })
          const producing = (async () => {
            for (let i = before; i < last; i++) {
              await scheduler.schedule(Promise.resolve())
              await node.produce()
            }
          })()
          await scheduler.waitFor(Promise.all([...runs, producing]))
          controller.abort()
        },
      ),
      { numRuns: 25 },
    )
  })

  it('lets other work have its turn in a long replay that yields nothing', async () => {
    const node = await open()
    for (let i = 0; i < 2 * FEED_LIMITS.replayBlocksMax; i++) await node.produce()
    const controller = new AbortController()
    let read = 0
    const nothing: Projection<never> = () => {
      read++
      return []
    }
    const ended = take(node.feed.subscribe(nothing, cursor(0), controller.signal), 1)
    await turn()
    expect(read).toBeLessThanOrEqual(2 * FEED_LIMITS.replayBlocksMax)
    controller.abort()
    await ended
  })
})

describe('pending', () => {
  const raws = () => testTransfers(testAccounts[1]!, 0, 3)
  const add = async (node: TestNode, raw: Uint8Array) => node.pool.add(raw, 'rpc')

  it('streams what the pool admits from the moment of subscribing', async () => {
    const node = await open()
    const [first, second, third] = await raws()
    await add(node, first!)
    const controller = new AbortController()
    const stream = node.feed.pending(controller.signal)
    await add(node, second!)
    const nonces: number[] = []
    const done = (async () => {
      for await (const { nonce } of stream) nonces.push(nonce)
    })()
    await add(node, third!)
    await turn()
    controller.abort()
    await done
    expect(nonces).toEqual([1, 2])
  })

  it('loses the oldest for a subscriber that does not read, and no more than its bound is kept', async () => {
    let listener: (nonce: number) => void = () => {}
    let listeners = 0
    const { createFeed } = await import('./feed.ts')
    const node = await open()
    const feed = createFeed({
      reader: node.store,
      mempool: {
        onAdmitted(added) {
          listener = (nonce) => added({ nonce } as never, 'rpc')
          listeners++
          return () => void listeners--
        },
      },
    })
    const controller = new AbortController()
    const stream = feed.pending(controller.signal)
    for (let nonce = 0; nonce < FEED_LIMITS.pendingCountMax + 5; nonce++) listener(nonce)
    const seen: number[] = []
    for await (const { nonce } of stream) {
      seen.push(nonce)
      if (seen.length === FEED_LIMITS.pendingCountMax) break
    }
    expect(seen[0]).toBe(5)
    expect(listeners).toBe(0)
    const unread = new AbortController()
    feed.pending(unread.signal)
    expect(listeners).toBe(1)
    unread.abort()
    expect(listeners).toBe(0)
  })
})
