import { type Address, Hash, Height, type Log, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { appendBlock } from '../../test/blocks.ts'
import { openTestNode, type TestNode } from '../../test/chain.ts'
import { crypto, oneValidator } from '../../test/fixture.ts'
import { raws } from '../../test/log-chain.ts'
import { BlockIndex, type IndexReader } from '../store/block-index.ts'
import { BlockStore } from '../store/block-store.ts'
import { LOG_INDEX_USE, LogCandidates, type LogIndexUse } from './log-candidates.ts'
import { LogMatcher } from './log-matcher.ts'

const address = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(20)}` as Address
const topic = (byte: number) => Hash(`0x${byte.toString(16).padStart(2, '0').repeat(32)}`)
const log: fc.Arbitrary<Log> = fc.record({
  address: fc.nat(5).map(address),
  topics: fc.array(fc.nat(5).map(topic), { maxLength: 4 }),
  data: fc.uint8Array({ maxLength: 3 }),
})
const criteria = fc.record({
  addresses: fc.array(fc.nat(6).map(address), { maxLength: 3 }),
  topics: fc.array(fc.array(fc.nat(6).map(topic), { maxLength: 3 }), { maxLength: 4 }),
})
/** Random costs and windows: each border between index and scan is crossed somewhere. */
const use: fc.Arbitrary<LogIndexUse> = fc.record({
  lookupCost: fc.constantFrom(0, 0.1, 16),
  recordCost: fc.constantFrom(0, 0.05, 0.25, 1),
  byteCost: fc.constantFrom(0, 1 / 4_096, 0.1),
  budgetPart: fc.constantFrom(0.1, 0.5, 4),
  blocksMin: fc.nat(6),
  firstBlocks: fc.integer({ min: 1, max: 12 }),
  growth: fc.integer({ min: 1, max: 4 }),
  blocksMax: fc.integer({ min: 12, max: 30 }),
  fewBlocks: fc.nat(4),
})

const BLOCKS = 24
const steady = { isSliceOver: () => true, nextTurn: async () => {} }

async function chainOf(blocks: readonly (readonly Log[])[]): Promise<TestNode> {
  const node = await openTestNode({ crypto, validators: oneValidator })
  for (const logs of blocks) await appendBlock(node, crypto, logs.length === 0 ? [] : [{ raw: raws[0]!, logs }])
  return node
}

/** Heights of candidates of a range, window by window as a scan reads them. */
async function candidatesOf(candidates: LogCandidates, from: number, to: number): Promise<readonly number[]> {
  const found: number[] = []
  for (let height = from; height <= to; ) {
    const window = await candidates.window(Height(height), Height(to))
    expect(window.through).toBeGreaterThanOrEqual(height)
    expect(window.through).toBeLessThanOrEqual(to)
    for (; height <= window.through; height++) if (window.isCandidate(Height(height))) found.push(height)
  }
  return found
}

it('names every block with a matching log, whatever it costs, and after a restart', async () => {
  const block = fc.array(log, { maxLength: 3 })
  const query = fc.tuple(criteria, use, fc.nat(BLOCKS), fc.nat(BLOCKS))
  let skipped = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(block, { minLength: BLOCKS, maxLength: BLOCKS }),
      fc.array(query, { minLength: 20, maxLength: 20 }),
      async (blocks, queries) => {
        const { kv } = await chainOf(blocks)
        const store = unwrap(BlockStore.open(kv, crypto))
        for (const [wanted, costs, a, b] of queries) {
          const [from, to] = [Math.min(a, b), Math.max(a, b)]
          const matcher = new LogMatcher(crypto, wanted)
          const found = await candidatesOf(new LogCandidates(new BlockIndex(kv), matcher.clauses, steady, costs), from, to)
          for (let height = from; height <= to; height++) {
            const logs = store.receipts(Height(height))!.flatMap((receipt) => receipt.logs)
            if (logs.some((one) => matcher.matches(one))) expect(found).toContain(height)
            else if (!found.includes(height)) skipped++
          }
        }
      },
    ),
    { numRuns: 15 },
  )
  expect(skipped).toBeGreaterThan(0)
})

/** Counts lookups and records. */
function counted(index: IndexReader) {
  const count = { lookups: 0, records: 0 }
  const reader: Pick<IndexReader, 'logEntries'> = {
    async *logEntries(term, from, to) {
      count.lookups++
      for await (const entry of index.logEntries(term, from, to)) {
        count.records++
        yield entry
      }
    },
  }
  return { count, reader: reader as IndexReader }
}

const everywhere: Log = { address: address(1), topics: [topic(1)], data: new Uint8Array(0) }
const rare: Log = { address: address(1), topics: [topic(1), topic(9)], data: new Uint8Array(0) }
const small: LogIndexUse = { ...LOG_INDEX_USE, lookupCost: 1, blocksMin: 0, firstBlocks: 8, growth: 2, fewBlocks: 1 }

it('looks a rare topic up, and not the common ones beside it', async () => {
  const { kv } = await chainOf(Array.from({ length: 40 }, (_, i) => [i === 20 ? rare : everywhere]))
  const { clauses } = new LogMatcher(crypto, { addresses: [address(1)], topics: [[topic(1)], [topic(9)]] })
  const { reader, count } = counted(new BlockIndex(kv))
  const found = await candidatesOf(new LogCandidates(reader, clauses, steady, small), 1, 40)
  expect(found).toEqual([21])
  // Windows of 8, 16 and 16 blocks.
  expect(count).toEqual({ lookups: 3, records: 1 })
})

it('pays for the bytes of a record too, and stops asking when they cost too much', async () => {
  const { kv } = await chainOf(Array.from({ length: 8 }, () => [everywhere]))
  const { clauses } = new LogMatcher(crypto, { addresses: [], topics: [[topic(1)]] })
  const { reader, count } = counted(new BlockIndex(kv))
  // The window may cost 4, the lookup costs 1, and a record has one fingerprint of four bytes.
  const found = await candidatesOf(
    new LogCandidates(reader, clauses, steady, { ...small, recordCost: 0.25, byteCost: 0.25 }),
    1,
    8,
  )
  expect(found).toHaveLength(8)
  expect(count).toEqual({ lookups: 1, records: 3 })
})

it('stops asking for a topic of every block after the first window', async () => {
  const { kv } = await chainOf(Array.from({ length: 40 }, () => [everywhere]))
  const { clauses } = new LogMatcher(crypto, { addresses: [], topics: [[topic(1)]] })
  const { reader, count } = counted(new BlockIndex(kv))
  const found = await candidatesOf(new LogCandidates(reader, clauses, steady, small), 1, 40)
  expect(found).toHaveLength(40)
  expect(count).toEqual({ lookups: 1, records: 8 })
})

it('does not look many alternatives up in a short range', async () => {
  const { kv } = await chainOf(Array.from({ length: 10 }, () => [everywhere]))
  const addresses = Array.from({ length: 100 }, (_, i) => address(i + 2))
  const { clauses } = new LogMatcher(crypto, { addresses, topics: [] })
  const { reader, count } = counted(new BlockIndex(kv))
  expect(await candidatesOf(new LogCandidates(reader, clauses, steady, small), 1, 10)).toHaveLength(10)
  expect(count.lookups).toBe(0)
})
