import { type Address, Hash, type Log } from '@quoin/protocol'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TestNode } from '../../test/chain.ts'
import { type LogChain, openLogChain, raws } from '../../test/log-chain.ts'
import type { TestRpc } from '../../test/rpc.ts'
import { DEFAULT_RPC_LIMITS, type RpcLimits } from './limits.ts'

let node: TestNode
let rpc: TestRpc
let appendLogs: LogChain['append']

beforeEach(() => open())
afterEach(() => rpc.server.close())

async function open(limits: Partial<RpcLimits> = {}): Promise<void> {
  const chain = await openLogChain(limits)
  node = chain.node
  rpc = chain.rpc
  appendLogs = chain.append
}

async function reopen(limits: Partial<RpcLimits>): Promise<void> {
  await rpc.server.close()
  await open(limits)
}

const contract = `0x${'c0'.repeat(20)}` as Address
const topic = (n: number) => Hash(`0x${n.toString(16).padStart(64, '0')}`)
const logs = (...topics: number[]): readonly Log[] =>
  topics.map((n) => ({ address: contract, topics: [topic(n)], data: new Uint8Array(0) }))
const append = (...topics: number[]) => appendLogs(logs(...topics))

const result = async (method: string, ...params: unknown[]) => {
  const { result, error } = await rpc.call(method, ...params)
  expect(error).toBeUndefined()
  return result
}
const topicsOf = (found: unknown) => (found as { readonly topics: readonly Hash[] }[]).map(({ topics }) => Number(topics[0]))
const changes = async (id: unknown) => topicsOf(await result('eth_getFilterChanges', id))
const NOT_FOUND = { error: { code: -32000, message: 'filter not found' } }

describe('a log filter', () => {
  it('reports logs since the last poll once, and none from before the filter', async () => {
    await append(1)
    const id = await result('eth_newFilter', { address: contract, fromBlock: 'earliest' })
    expect(await changes(id)).toEqual([])
    await append(2, 3)
    await append()
    await append(4)
    expect(await changes(id)).toEqual([2, 3, 4])
    expect(await changes(id)).toEqual([])
    expect(topicsOf(await result('eth_getFilterLogs', id))).toEqual([1, 2, 3, 4])
    await append(5)
    expect(topicsOf(await result('eth_getFilterLogs', id))).toEqual([1, 2, 3, 4, 5])
    expect(await changes(id)).toEqual([5])
  })

  it('keeps to its own criteria and range', async () => {
    const chosen = await result('eth_newFilter', { topics: [[topic(2), topic(4)]] })
    const ranged = await result('eth_newFilter', { fromBlock: '0x2', toBlock: '0x3' })
    const ahead = await result('eth_newFilter', { fromBlock: '0x9' })
    expect(await result('eth_getFilterLogs', ahead)).toEqual([])
    for (let n = 1; n <= 4; n++) await append(n)
    expect(await changes(chosen)).toEqual([2, 4])
    expect(await changes(ranged)).toEqual([2, 3])
    expect(await changes(ahead)).toEqual([])
    expect(topicsOf(await result('eth_getFilterLogs', ranged))).toEqual([2, 3])
    // Without a range: the latest block, as in geth.
    expect(topicsOf(await result('eth_getFilterLogs', chosen))).toEqual([4])
  })

  it.each([
    [{ fromBlock: '0x3', toBlock: '0x2' }, /invalid block range/],
    [{ fromBlock: '0x1', toBlock: 'earliest' }, /invalid block range/],
    [{ blockHash: topic(1) }, /eth_getLogs/],
    [{ address: 7 }, /address must be/],
  ])('is refused for %j', async (query, message) => {
    expect(await rpc.call('eth_newFilter', query)).toMatchObject({
      error: { code: -32602, message: expect.stringMatching(message) },
    })
  })

  it('reports in parts after a long pause, and loses and repeats nothing with concurrent polls', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          logsMax: fc.integer({ min: 1, max: 3 }),
          logBlocksMax: fc.integer({ min: 0, max: 4 }),
          logReceiptsMax: fc.integer({ min: 1, max: 3 }),
        }),
        fc.array(fc.oneof(fc.nat(3), fc.constantFrom('poll', 'two polls')), { maxLength: 20 }),
        async (limits, steps) => {
          await reopen({ ...limits })
          const id = await result('eth_newFilter', {})
          const expected: number[] = []
          const seen: number[] = []
          for (const step of steps) {
            if (typeof step === 'number') {
              const topics = Array.from({ length: step }, (_, i) => expected.length + i)
              expected.push(...topics)
              await append(...topics)
            } else {
              const polls = await Promise.all(Array.from({ length: step === 'poll' ? 1 : 2 }, () => changes(id)))
              seen.push(...polls.flat().sort((a, b) => a - b))
            }
          }
          // Each part has at least one new block, so as many calls as blocks are enough.
          for (let i = 0; i < steps.length; i++) seen.push(...(await changes(id)))
          expect(seen).toEqual(expected)
        },
      ),
      { numRuns: 12 },
    )
  })
})

describe('a block filter', () => {
  it('reports the hashes of the blocks since the last poll, in parts if there are many', async () => {
    await reopen({ filterBlocksMax: 3 })
    await append()
    const id = await result('eth_newBlockFilter')
    expect(await result('eth_getFilterChanges', id)).toEqual([])
    const hashes: string[] = []
    for (let i = 0; i < 5; i++) hashes.push((await append(i)).hash)
    expect(await result('eth_getFilterChanges', id)).toEqual(hashes.slice(0, 3))
    expect(await result('eth_getFilterChanges', id)).toEqual(hashes.slice(3))
    expect(await result('eth_getFilterChanges', id)).toEqual([])
    expect(await rpc.call('eth_getFilterLogs', id)).toMatchObject(NOT_FOUND)
  })
})

describe('a filter of pending transactions', () => {
  const send = async (raw: Uint8Array) => result('eth_sendRawTransaction', `0x${Buffer.from(raw).toString('hex')}`)

  it('reports what the pool has admitted since, with or without blocks in between', async () => {
    const first = await send(raws[0]!)
    const id = await result('eth_newPendingTransactionFilter')
    const others = [await send(raws[1]!), await send(raws[2]!)]
    await node.produce()
    expect(await result('eth_getFilterChanges', id)).toEqual(others)
    expect(await result('eth_getFilterChanges', id)).toEqual([])
    expect(others).not.toContain(first)
  })

  it('loses the oldest if more arrived than are remembered', async () => {
    await reopen({ filterTransactionsMax: 3 })
    const id = await result('eth_newPendingTransactionFilter')
    const hashes: unknown[] = []
    for (let i = 0; i < 5; i++) hashes.push(await send(raws[i]!))
    expect(await result('eth_getFilterChanges', id)).toEqual(hashes.slice(2))
  })
})

describe('filters', () => {
  const { filterIdleMs } = DEFAULT_RPC_LIMITS

  it('end when they are uninstalled', async () => {
    const id = await result('eth_newFilter', {})
    expect(await result('eth_uninstallFilter', id)).toBe(true)
    expect(await result('eth_uninstallFilter', id)).toBe(false)
    expect(await rpc.call('eth_getFilterChanges', id)).toMatchObject(NOT_FOUND)
    expect(await rpc.call('eth_getFilterLogs', '0x1')).toMatchObject(NOT_FOUND)
  })

  it('end after five minutes without a poll, and live as long as they are polled', async () => {
    const asked = await result('eth_newFilter', {})
    const forgotten = await result('eth_newBlockFilter')
    for (let i = 0; i < 3; i++) {
      rpc.clock.advance(filterIdleMs - 1)
      expect(await changes(asked)).toEqual([])
    }
    expect(await rpc.call('eth_getFilterChanges', forgotten)).toMatchObject(NOT_FOUND)
    expect(await result('eth_uninstallFilter', forgotten)).toBe(false)
    rpc.clock.advance(filterIdleMs)
    expect(await rpc.call('eth_getFilterChanges', asked)).toMatchObject(NOT_FOUND)
    expect(filterIdleMs).toBe(300_000)
  })

  it.each([
    [{ filtersPerRemoteMax: 2 }, {}, /too many filters: 127\.0\.0\.1 has 2, the limit per address is 2/],
    [{ filtersMax: 2 }, {}, /too many filters: all clients together have 2, the limit is 2/],
    [
      { logTermsPerRemoteMax: 5 },
      { address: contract, topics: [[topic(1)]] },
      /too many addresses, topics and hashes .*has 4, the limit per address is 5/,
    ],
    [
      { logTermsMax: 5 },
      { address: [contract], topics: [topic(1)] },
      /too many addresses, topics and hashes .*have 4, the limit is 5/,
    ],
  ])('are limited by %j; an ended one makes room', async (limits, query, message) => {
    await reopen(limits)
    const refused = { error: { code: -32005, message: expect.stringMatching(message) } }
    const id = await result('eth_newFilter', query)
    await result('eth_newFilter', query)
    expect(await rpc.call('eth_newFilter', query)).toMatchObject(refused)
    expect(await rpc.call('eth_newFilter', query)).toMatchObject(refused)
    await result('eth_uninstallFilter', id)
    await result('eth_newFilter', query)
    expect(await rpc.call('eth_newFilter', query)).toMatchObject(refused)
    rpc.clock.advance(filterIdleMs)
    for (let i = 0; i < 2; i++) await result('eth_newFilter', query)
    expect(await rpc.call('eth_newFilter', query)).toMatchObject(refused)
  })
})
