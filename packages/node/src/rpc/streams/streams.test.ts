import { type Address, Hash, Height, type Log } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { crypto } from '../../../test/fixture.ts'
import { type LogChain, openLogChain } from '../../../test/log-chain.ts'
import { serveTestNode, type TestRpc } from '../../../test/rpc.ts'
import { type ReceivedBatch, StreamSocket } from '../../../test/stream-client.ts'
import { DEFAULT_RPC_LIMITS, type RpcLimits } from '../limits.ts'
import { cursorOf } from './cursor.ts'
import { beginningOf } from './position.ts'

const address = `0x${'ab'.repeat(20)}` as Address
const other = `0x${'cd'.repeat(20)}` as Address
const log = (from = address): Log => ({ address: from, topics: [Hash(`0x${'01'.repeat(32)}`)], data: Uint8Array.of(7) })

let chain: LogChain
let rpc: TestRpc
const closing: (() => Promise<void>)[] = []

beforeEach(async () => {
  chain = await openLogChain()
  rpc = chain.rpc
  await chain.append([log(), log(other)], [log()])
  await chain.append([log()])
})

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  await rpc.server.close()
})

async function openSocket(url = rpc.socketUrl): Promise<StreamSocket> {
  const socket = await StreamSocket.open(url)
  closing.push(() => socket.close())
  return socket
}

async function serve(limits: Partial<RpcLimits>, backend = {}): Promise<TestRpc> {
  const served = await serveTestNode(chain.node, crypto, limits, { backend })
  closing.push(() => served.server.close())
  return served
}

const poll = async (request: object, at = rpc): Promise<ReceivedBatch> => {
  const { result, error } = await at.call('quoin_getStream', request)
  expect(error).toBeUndefined()
  return result as ReceivedBatch
}
const logs = { stream: 'logs', filter: { address } }
const places = ({ items }: ReceivedBatch) => items.map(({ blockNumber, logIndex }) => [Number(blockNumber), Number(logIndex)])
const genesis = () => chain.node.store.header(Height(0))!.hash

/** A cursor at the beginning of a block. */
const cursorAt = (height: number, hash = chain.node.store.header(Height(height - 1))!.hash, from = genesis()) =>
  cursorOf(from, beginningOf(height), 'logs', hash)

describe('quoin_subscribe', () => {
  it('answers with an id first, and then sends what follows the position', async () => {
    const socket = await openSocket()
    const id = await socket.request('quoin_subscribe', { ...logs, from: { block: 1 } })
    const { header, hash } = chain.node.store.head
    expect(await socket.next()).toEqual({
      subscription: id,
      result: {
        sequence: 1,
        cursor: cursorAt(3),
        ...{ height: 2, blockHash: hash, time: header.timeMs, isWithin: false },
        head: { height: 2, hash, time: header.timeMs },
        items: (await rpc.call('eth_getLogs', { fromBlock: '0x1', address })).result,
      },
    })
    await chain.append([log()])
    expect(places(await socket.nextBatch())).toEqual([[3, 0]])
    expect(socket.order).toEqual([1, id, id])
    expect(rpc.server.counters.subscriptions).toBe(1)
  })

  it('answers first in a batch of requests too', async () => {
    const socket = await openSocket()
    const arrived: string[] = []
    socket.socket.removeAllListeners('message')
    socket.socket.on('message', (bytes: Buffer) => arrived.push(bytes.toString()))
    const receipts = vi.spyOn(chain.node.pool, 'waiting')
    const requests = [
      { jsonrpc: '2.0', id: 1, method: 'quoin_subscribe', params: [{ ...logs, from: { block: 0 } }] },
      { jsonrpc: '2.0', id: 2, method: 'eth_getTransactionByHash', params: [`0x${'77'.repeat(32)}`] },
      { jsonrpc: '2.0', id: 3, method: 'eth_getLogs', params: [{ fromBlock: '0x0' }] },
    ]
    socket.socket.send(JSON.stringify(requests))
    await vi.waitUntil(() => arrived.length === 2, { timeout: 5_000 })
    expect(receipts).toHaveBeenCalled()
    expect(arrived.map((text) => Array.isArray(JSON.parse(text)))).toEqual([true, false])
  })

  it('begins after the head without a position', async () => {
    const socket = await openSocket()
    await socket.request('quoin_subscribe', { stream: 'blocks' })
    await chain.append()
    const { items, height } = await socket.nextBatch()
    expect([items, height]).toEqual([[expect.objectContaining({ number: '0x3', hash: chain.node.store.head.hash })], 3])
  })

  it('begins with the first block at or after a time', async () => {
    const { timeMs } = chain.node.store.header(Height(1))!.header
    const heights = async (time: number) =>
      (await poll({ stream: 'blocks', from: { time } })).items.map(({ number }) => Number(number))
    expect(await heights(timeMs)).toEqual([1, 2])
    expect(await heights(timeMs + 1)).toEqual([2])
    expect(await heights(0)).toEqual([0, 1, 2])
    expect(await heights(timeMs + 10_000)).toEqual([])
  })

  it('ends with quoin_unsubscribe, with the connection, and with nothing else', async () => {
    const [socket, second] = [await openSocket(), await openSocket()]
    const id = await socket.request('quoin_subscribe', { stream: 'blocks' })
    await second.request('quoin_subscribe', { stream: 'blocks' })
    for (const method of ['quoin_unsubscribe', 'quoin_acknowledge'])
      expect((await second.call(method, id, ...(method === 'quoin_acknowledge' ? [0] : []))).error?.message).toBe(
        `stream not found on this connection: ${id}`,
      )
    expect((await socket.call('eth_unsubscribe', id)).error?.message).toMatch(/subscription not found/)
    expect(rpc.server.counters.subscriptions).toBe(2)
    expect(await socket.request('quoin_unsubscribe', id)).toBe(true)
    expect((await socket.call('quoin_unsubscribe', id)).error?.code).toBe(-32602)
    expect(rpc.server.counters.subscriptions).toBe(1)
    await second.close()
    await vi.waitUntil(() => rpc.server.counters.subscriptions === 0, { timeout: 5_000 })
  })

  it('acknowledges batches that were sent', async () => {
    const socket = await openSocket()
    const id = await socket.request('quoin_subscribe', { ...logs, from: { block: 1 } })
    await socket.nextBatch()
    expect(await socket.request('quoin_acknowledge', id, 1)).toBe(true)
    expect((await socket.call('quoin_acknowledge', id, 2)).error).toMatchObject({
      code: -32602,
      message: expect.stringMatching(/no batch 2/),
    })
    expect((await socket.call('quoin_acknowledge', id, -1)).error).toMatchObject({ code: -32602 })
  })

  it('closes a stream that is not acknowledged, and says where it was', async () => {
    const socket = await openSocket()
    const id = await socket.request('quoin_subscribe', { ...logs, from: { block: 1 } })
    await socket.nextBatch()
    rpc.clock.advance(DEFAULT_RPC_LIMITS.streamStallMs)
    let news = await socket.next()
    while (news.closed === undefined) news = await socket.next()
    expect(news).toEqual({
      subscription: id,
      closed: { reason: 'slow-reader', message: expect.any(String), cursor: cursorAt(1) },
    })
    expect((await socket.call('quoin_acknowledge', id, 1)).error?.message).toMatch(/stream not found/)
    expect(rpc.server.counters.subscriptions).toBe(0)
  })

  it('is limited per connection, and needs a WebSocket', async () => {
    const { socketUrl } = await serve({ streamsPerConnectionMax: 1 })
    const socket = await openSocket(socketUrl)
    const id = await socket.request('quoin_subscribe', { stream: 'blocks' })
    expect((await socket.call('quoin_subscribe', { stream: 'blocks' })).error).toMatchObject({
      code: -32005,
      message: 'too many streams: the limit per connection is 1; end one first',
    })
    await socket.request('quoin_unsubscribe', id)
    await socket.request('quoin_subscribe', { stream: 'blocks' })
    expect((await rpc.call('quoin_subscribe', { stream: 'blocks' })).error).toMatchObject({
      code: -32601,
      message: expect.stringMatching(/quoin_getStream/),
    })
  })
})

describe('quoin_getStream', () => {
  it('answers at once with what follows a cursor, also within a block', async () => {
    const small = await serve({ streamItemsMax: 1 })
    let from: object = { block: 1 }
    const found: number[][] = []
    for (let i = 0; i < 4; i++) {
      const batch = await poll({ ...logs, from }, small)
      expect(batch.sequence).toBeUndefined()
      found.push(...places(batch))
      from = { cursor: batch.cursor }
    }
    expect(found).toEqual([
      [1, 0],
      [1, 2],
      [2, 0],
    ])
    // Nothing is left, and the cursor is that of the head.
    expect(from).toEqual({ cursor: cursorAt(3) })
  })

  it('waits for a block with a match, and for nothing else', async () => {
    const waiting = poll({ ...logs, waitMs: 5_000 })
    const done = vi.fn()
    void waiting.then(done)
    await vi.waitUntil(() => rpc.server.counters.requests > 0)
    await chain.append([log(other)])
    expect(await poll({ stream: 'blocks', from: { block: 3 } })).toMatchObject({ height: 3 })
    expect(done).not.toHaveBeenCalled()
    await chain.append([log()])
    expect(places(await waiting)).toEqual([[4, 0]])
  })

  it('answers with an empty batch when the time is over', async () => {
    const before = rpc.server.counters.requests
    const waiting = poll({ ...logs, waitMs: 60_000 })
    await vi.waitUntil(() => rpc.server.counters.requests > before)
    await chain.append([log(other)])
    await poll({ stream: 'blocks', from: { block: 3 } })
    // The longest wait, whatever was asked for. The timer begins when the request has been read.
    const clock = setInterval(() => rpc.clock.advance(DEFAULT_RPC_LIMITS.streamWaitMsMax), 5)
    expect(await waiting).toMatchObject({ items: [], cursor: cursorAt(4), height: 3, head: { height: 3 } })
    clearInterval(clock)
  })

  it('has at most as many items as were asked for, and says that it ends within a block', async () => {
    await chain.append([log(), log(other), log()])
    const first = await poll({ ...logs, from: { block: 3 }, itemsMax: 1 })
    expect(first).toMatchObject({ height: 3, isWithin: true })
    expect(places(first)).toEqual([[3, 0]])
    const second = await poll({ ...logs, from: { cursor: first.cursor }, itemsMax: 1 })
    expect(second).toMatchObject({ height: 3, isWithin: true })
    expect(places(second)).toEqual([[3, 2]])
  })

  it('answers with the position of its start alone, without waiting', async () => {
    const position = (from?: object) => poll({ ...logs, from, waitMs: 5_000, itemsMax: 0 })
    expect(await position()).toMatchObject({ items: [], cursor: cursorAt(3), isWithin: false })
    expect(await position({ block: 1 })).toMatchObject({ items: [], cursor: cursorAt(1) })
    expect(await position({ cursor: cursorAt(2) })).toMatchObject({ items: [], cursor: cursorAt(2) })
  })

  it('over WebSocket too', async () => {
    const socket = await openSocket()
    expect(places((await socket.request('quoin_getStream', { ...logs, from: { block: 2 } })) as ReceivedBatch)).toEqual([[2, 0]])
  })

  it('ends when its client is gone', async () => {
    const socket = await openSocket()
    const removed = vi.spyOn(AbortSignal.prototype, 'removeEventListener')
    void socket.call('quoin_getStream', { ...logs, waitMs: 5_000 })
    await vi.waitUntil(() => rpc.server.counters.requests > 0)
    await socket.close()
    await vi.waitUntil(() => removed.mock.calls.length > 0, { timeout: 5_000 })
    removed.mockRestore()
  })

  it.each([
    [{}, /stream must be one of blocks, logs, transactions, receipts/],
    [{ stream: 'heads' }, /stream must be one of/],
    [{ stream: 'blocks', filter: { address } }, /filter must be absent: a stream of blocks has no filter/],
    [{ stream: 'logs', filter: { fromBlock: '0x0' } }, /filter has the unknown field fromBlock/],
    [{ stream: 'logs', filter: { address: '0x12' } }, /filter\.address must be/],
    [{ stream: 'transactions', filter: { accounts: [] } }, /filter\.accounts must not be empty/],
    [{ stream: 'transactions', filter: { accounts: ['0x12'] } }, /filter\.accounts\.0 must be an address/],
    [{ stream: 'transactions', filter: { accounts: new Array(257).fill(address) } }, /has 257 accounts, the limit is 256/],
    [
      { stream: 'receipts', filter: { hashes: new Array(1_025).fill(`0x${'00'.repeat(32)}`) } },
      /has 1025 hashes, the limit is 1024/,
    ],
    [{ stream: 'blocks', from: {} }, /from must have one of cursor, block and time/],
    [{ stream: 'blocks', from: { block: 1, time: 1 } }, /from must have one of cursor, block and time/],
    [{ stream: 'blocks', from: { block: -1 } }, /from\.block/],
    [
      { stream: 'blocks', from: { cursor: 'xyz' } },
      /from\.cursor must have 51 characters of base64url: it must be the cursor of a batch/,
    ],
    [{ stream: 'blocks', from: { height: 1 } }, /from has the unknown field height/],
    [{ stream: 'blocks', wait: 1 }, /has the unknown field wait/],
    ['blocks', /must be an object/],
  ])('refuses %j', async (request, message) => {
    expect((await rpc.call('quoin_getStream', request)).error).toMatchObject({
      code: -32602,
      message: expect.stringMatching(message),
    })
  })

  it('refuses a cursor of another chain, or of another block, at once', async () => {
    const unknown = { code: -32602, data: { reason: 'cursor-unknown', scope: 'chain' } }
    const ask = async (cursor: string, at = rpc) => (await at.call('quoin_getStream', { ...logs, from: { cursor } })).error
    const wrong = Hash(`0x${'99'.repeat(32)}`)
    expect(await ask(cursorAt(2, undefined, wrong))).toMatchObject({
      ...unknown,
      message: expect.stringMatching(/another chain/),
    })
    expect(await ask(cursorAt(2, wrong))).toMatchObject({ ...unknown, message: expect.stringMatching(/another block 1/) })
    expect(await ask(cursorAt(9, wrong), await serve({}, { standsAlone: true }))).toMatchObject({
      ...unknown,
      message: expect.stringMatching(/no block 8/),
    })
  })

  it('refuses a cursor within a block for a stream that counts other items', async () => {
    const cursor = cursorOf(genesis(), { height: Height(1), index: 1 }, 'logs', chain.node.store.header(Height(1))!.hash)
    expect(places(await poll({ ...logs, from: { cursor } }))[0]).toEqual([1, 2])
    expect((await rpc.call('quoin_getStream', { stream: 'receipts', from: { cursor } })).error).toMatchObject({
      code: -32602,
      message: expect.stringMatching(/within a block, after some of its logs/),
    })
  })

  it('waits for the block of a cursor above the head, and then says that the node is behind', async () => {
    const before = rpc.server.counters.requests
    const reached = poll({ ...logs, from: { block: 4 } })
    await vi.waitUntil(() => rpc.server.counters.requests > before)
    await chain.append([log()])
    expect(await reached).toMatchObject({ items: [], height: 3 })
    const late = rpc.call('quoin_getStream', { ...logs, from: { cursor: cursorAt(9, genesis()) } })
    const clock = setInterval(() => rpc.clock.advance(DEFAULT_RPC_LIMITS.behindMs), 5)
    expect((await late).error).toMatchObject({
      code: -32002,
      data: { reason: 'behind', scope: 'node', height: '0x3', minHeight: '0x8' },
    })
    clearInterval(clock)
  })
})
