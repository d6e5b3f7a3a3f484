import { type Address, Hash, Height, type Log } from '@quoin/protocol'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { TestNode } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import { crypto } from '../../test/fixture.ts'
import { openLogChain } from '../../test/log-chain.ts'
import { type TestRpc, testBackend, testCall } from '../../test/rpc.ts'
import { CallGivenUp } from './call.ts'
import { DEFAULT_RPC_LIMITS, type RpcLimits } from './limits.ts'
import { LogMatcher } from './log-matcher.ts'
import { scanLogs } from './logs.ts'

const opened: TestRpc[] = []

const BLOCKS_MAX = 9
const TRANSACTIONS_MAX = 3

afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ server }) => server.close()))
})

/** The logs of each transaction of a block. */
type Block = readonly (readonly Log[])[]

interface Chain {
  readonly node: TestNode
  readonly rpc: TestRpc
  /** Appends the next block. */
  append(block: Block): Promise<void>
  /** Every log so far, in the form of a response. */
  readonly all: readonly ExpectedLog[]
}

type ExpectedLog = Readonly<Record<string, unknown>> & { readonly height: number; readonly log: Log }

async function openChain(limits: Partial<RpcLimits> = {}): Promise<Chain> {
  const { node, rpc, append: appendLogs } = await openLogChain(limits)
  opened.push(rpc)
  const all: ExpectedLog[] = []
  const append = async (block: Block) => {
    const { header, hash } = await appendLogs(...block)
    const senders = node.store.senders(header.number)!
    let logIndex = 0
    for (const [i, logs] of block.entries()) {
      for (const log of logs) {
        all.push({
          height: header.number,
          log,
          address: log.address,
          topics: log.topics,
          data: `0x${Buffer.from(log.data).toString('hex')}`,
          blockNumber: `0x${header.number.toString(16)}`,
          blockHash: hash,
          blockTimestamp: `0x${Math.floor(header.timeMs / 1000).toString(16)}`,
          transactionHash: senders[i]!.hash,
          transactionIndex: `0x${i.toString(16)}`,
          logIndex: `0x${(logIndex++).toString(16)}`,
          removed: false,
        })
      }
    }
  }
  return { node, rpc, append, all }
}

const answered = ({ height: _height, log: _log, ...rest }: ExpectedLog) => rest

const address = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(20)}` as Address
const topic = (byte: number) => Hash(`0x${byte.toString(16).padStart(2, '0').repeat(32)}`)

const someAddress = fc.nat(3).map(address)
const someTopic = fc.nat(3).map(topic)
const log: fc.Arbitrary<Log> = fc.record({
  address: someAddress,
  topics: fc.array(someTopic, { maxLength: 4 }),
  data: fc.uint8Array({ maxLength: 40 }),
})
const block: fc.Arbitrary<Block> = fc.array(fc.array(log, { maxLength: 3 }), { maxLength: TRANSACTIONS_MAX })

/** A random filter as clients write it, in upper or lower case, with single values or lists. */
const criteria = fc.record(
  {
    address: fc.oneof(
      someAddress,
      someAddress.map((text) => text.toUpperCase().replace('0X', '0x')),
      fc.array(someAddress, { maxLength: 3 }),
      fc.constant(null),
    ),
    topics: fc.option(
      fc.array(fc.oneof(fc.constant(null), someTopic, fc.array(fc.option(someTopic, { freq: 8 }), { maxLength: 3 })), {
        maxLength: 4,
      }),
    ),
  },
  { requiredKeys: [] },
)
type Criteria = typeof criteria extends fc.Arbitrary<infer T> ? T : never

/** Reference implementation of matching: execution-apis, `Filter`, and go-ethereum for what that leaves open. */
function wanted({ address: addresses, topics }: Criteria, candidate: Log): boolean {
  const named = [addresses ?? []].flat().map((text) => text.toLowerCase())
  if (named.length > 0 && !named.includes(candidate.address)) return false
  const positions = topics ?? []
  if (positions.length > candidate.topics.length) return false
  for (const [i, position] of positions.entries()) {
    const choices = [position].flat()
    const isOpen = choices.length === 0 || choices.includes(null)
    if (!isOpen && !choices.includes(candidate.topics[i]!)) return false
  }
  return true
}

const hex = (height: number) => `0x${height.toString(16)}`

describe('eth_getLogs', () => {
  it('returns the same logs as a walk over every log of the range', async () => {
    const query = fc.tuple(criteria, fc.nat(BLOCKS_MAX), fc.nat(BLOCKS_MAX))
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { maxLength: BLOCKS_MAX }),
        fc.array(query, { minLength: 8, maxLength: 8 }),
        async (blocks, queries) => {
          const chain = await openChain()
          for (const each of blocks) await chain.append(each)
          for (const [filter, a, b] of queries) {
            const [from, to] = [Math.min(a, b, blocks.length), Math.min(Math.max(a, b), blocks.length)]
            const expected = chain.all.filter(({ height, log }) => height >= from && height <= to && wanted(filter, log))
            const { result } = await chain.rpc.call('eth_getLogs', { ...filter, fromBlock: hex(from), toBlock: hex(to) })
            expect(result).toEqual(expected.map(answered))
          }
        },
      ),
      { numRuns: 12 },
    )
  })

  it('names a smaller range if the response is too large, and following it finds every log', async () => {
    const few = fc.record({ logsMax: fc.integer({ min: 1, max: 4 }), logReceiptsMax: fc.integer({ min: 1, max: 6 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { minLength: 1, maxLength: BLOCKS_MAX }),
        criteria,
        few,
        async (blocks, filter, limits) => {
          const chain = await openChain(limits)
          for (const each of blocks) await chain.append(each)
          const found: unknown[] = []
          for (let from = 0, to = blocks.length; from <= blocks.length; ) {
            const { result, error } = await chain.rpc.call('eth_getLogs', { ...filter, fromBlock: hex(from), toBlock: hex(to) })
            if (error === undefined) {
              found.push(...(result as unknown[]))
              from = to + 1
              to = blocks.length
              continue
            }
            expect(error.code).toBe(-32602)
            const [, start, end] =
              /^query exceeds max (?:results|receipts) \d+: .*Try with this block range \[(0x\w+), (0x\w+)\]\.$/.exec(
                error.message,
              )!
            expect(start).toBe(hex(from))
            expect(Number(end)).toBeGreaterThanOrEqual(from)
            expect(Number(end)).toBeLessThan(to)
            to = Number(end)
          }
          expect(found).toEqual(chain.all.filter(({ log }) => wanted(filter, log)).map(answered))
        },
      ),
      { numRuns: 10 },
    )
  })

  describe('ranges', () => {
    let chain: Chain
    const logs = async (query: object) => {
      const { result, error } = await chain.rpc.call('eth_getLogs', query)
      return error ?? (result as { readonly blockNumber: string }[]).map(({ blockNumber }) => Number(blockNumber))
    }
    const open = async (limits: Partial<RpcLimits> = {}) => {
      chain = await openChain(limits)
      for (let i = 1; i <= 6; i++) await chain.append([[{ address: address(1), topics: [topic(i)], data: new Uint8Array(0) }]])
    }

    it('default to the latest block, and accept tags and hashes', async () => {
      await open()
      expect(await logs({})).toEqual([6])
      expect(await logs({ fromBlock: null, toBlock: null, address: null, topics: null })).toEqual([6])
      expect(await logs({ fromBlock: '0x5' })).toEqual([5, 6])
      expect(await logs({ fromBlock: 'earliest', toBlock: 'pending' })).toEqual([1, 2, 3, 4, 5, 6])
      expect(await logs({ fromBlock: 'pending', toBlock: 'pending' })).toEqual([6])
      expect(await logs({ fromBlock: 'finalized', toBlock: 'safe' })).toEqual([6])
      expect(await logs({ blockHash: chain.node.store.header(Height(3))!.hash })).toEqual([3])
    })

    it.each([
      [{ fromBlock: '0x3', toBlock: '0x2' }, -32602, /invalid block range/],
      [{ toBlock: '0x2' }, -32602, /invalid block range/],
      [{ fromBlock: '0x7', toBlock: '0x8' }, -32602, /extends beyond current head/],
      [{ fromBlock: '0x1', toBlock: '0x7' }, -32602, /extends beyond current head/],
      [{ fromBlock: '0x1', toBlock: '0x6' }, -32602, /^query exceeds max block range 4$/],
      [{ blockHash: topic(9) }, -32001, /block not found/],
      [{ blockHash: topic(9), fromBlock: '0x1' }, -32602, /choose one/],
      [{ blockHash: topic(9), toBlock: 'latest' }, -32602, /choose one/],
      [{ topics: [null, null, null, null, null] }, -32602, /4/],
      [{ topics: ['0x12'] }, -32602, /topics\.0 must be/],
      [{ address: '0x12' }, -32602, /address must be/],
      [{ address: [address(1), address(2), address(3)] }, -32602, /exceed max addresses: 3, the limit is 2/],
      [{ topics: [[topic(1), topic(2)], null, [topic(1), topic(2)]] }, -32602, /exceed max topics: 4, the limit is 3/],
      ['latest', -32602, /param 0/],
    ])('refuse %j', async (query, code, message) => {
      await open({ logBlocksMax: 4, logAddressesMax: 2, logTopicsMax: 3 })
      expect(await chain.rpc.call('eth_getLogs', query)).toMatchObject({
        error: { code, message: expect.stringMatching(message) },
      })
    })

    it('have the same limit as the retry helper of Ponder: to - from may equal the limit', async () => {
      await open({ logBlocksMax: 4 })
      expect(await logs({ fromBlock: '0x2', toBlock: '0x6' })).toEqual([2, 3, 4, 5, 6])
    })
  })

  it('returns a block with many logs whole, and never two blocks that are too large together', async () => {
    const chain = await openChain({ responseBytesMax: 4_000 })
    const large: Log = { address: address(1), topics: [], data: new Uint8Array(1_500) }
    await chain.append([[large, large]])
    await chain.append([[large]])
    const blockNumbers = async (query: object) =>
      ((await chain.rpc.call('eth_getLogs', query)).result as { blockNumber: string }[] | undefined)?.map(
        ({ blockNumber }) => blockNumber,
      )
    expect(await blockNumbers({ fromBlock: '0x1', toBlock: '0x1' })).toEqual(['0x1', '0x1'])
    expect(await blockNumbers({ fromBlock: '0x1', toBlock: '0x2' })).toBeUndefined()
    expect((await chain.rpc.call('eth_getLogs', { fromBlock: '0x0' })).error?.message).toMatch(
      /max response bytes 4000: .*\[0x0, 0x1\]/,
    )
  })
})

describe('a scan', () => {
  const none = (open: Chain) => ({
    reader: open.node.store,
    index: open.node.index,
    matcher: new LogMatcher(crypto, { addresses: [address(0xee)], topics: [] }),
    from: Height(0),
    to: Height(BLOCKS_MAX),
  })
  const callOf = ({ node }: Chain, clock?: ManualClock) => testCall(testBackend(node, crypto), {}, clock)

  it('reads no receipts of a block if its bloom filter does not match', async () => {
    const chain = await openChain()
    await chain.append([[{ address: address(1), topics: [topic(1)], data: new Uint8Array(0) }]])
    await chain.append([])
    const receipts = vi.spyOn(chain.node.store, 'receipts')
    const { call } = callOf(chain)
    const scanFor = (matcher: LogMatcher) =>
      scanLogs({ from: Height(0), to: Height(2), reader: chain.node.store, index: chain.node.index, matcher, call })
    await scanFor(new LogMatcher(crypto, { addresses: [address(2)], topics: [] }))
    await scanFor(new LogMatcher(crypto, { addresses: [address(1)], topics: [[], [topic(2)]] }))
    expect(receipts).not.toHaveBeenCalled()
    const { logs } = await scanFor(new LogMatcher(crypto, { addresses: [], topics: [] }))
    expect(JSON.parse(logs.pieces.join(''))).toHaveLength(1)
    expect(new Set(receipts.mock.calls.flat())).toEqual(new Set([1]))
  })

  it('ends at the next turn if its call was abandoned', async () => {
    const chain = await openChain()
    for (let i = 0; i < BLOCKS_MAX; i++) await chain.append([])
    const { call, gone, shared } = callOf(chain)
    vi.spyOn(shared.turns, 'isOver').mockReturnValue(true)
    const scanning = scanLogs({ ...none(chain), call })
    gone.abort()
    await expect(scanning).rejects.toThrow(CallGivenUp)
  })

  it('yields to others when its time slice is used up', async () => {
    const chain = await openChain()
    for (let i = 0; i < BLOCKS_MAX; i++) await chain.append([])
    const clock = new ManualClock()
    const { call, shared } = callOf(chain, clock)
    const bloom = vi.spyOn(chain.node.store, 'logsBloom')
    bloom.mockImplementation((height) => {
      // Each header takes half a time slice.
      clock.advance(DEFAULT_RPC_LIMITS.sliceMs / 2)
      return chain.node.store.header(height)?.header.logsBloom
    })
    const turns = vi.spyOn(shared.turns, 'next')
    await scanLogs({ ...none(chain), call })
    expect(turns).toHaveBeenCalledTimes(Math.floor(BLOCKS_MAX / 2))
  })
})
