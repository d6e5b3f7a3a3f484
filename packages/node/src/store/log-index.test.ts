import { MemoryKv } from '@quoin/platform'
import { type Address, codec, Gas, Hash, Height, type Log, type Receipt, receiptsCodec, ZERO_ADDRESS } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GROUPS, hashOfTerm, type LogTerm, logIndexEntries, logIndexOps } from './log-index.ts'

const someAddress = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => `0x${Buffer.from(bytes).toString('hex')}` as Address)
const someTopic = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Hash(bytes))
const log: fc.Arbitrary<Log> = fc.record({
  address: someAddress,
  topics: fc.array(someTopic, { maxLength: 4 }),
  data: fc.uint8Array({ maxLength: 3 }),
})

const receiptsOf = (logs: readonly Log[]): Uint8Array => {
  const receipt: Receipt = {
    ...{ status: 1, gasUsed: Gas(1), cumulativeGasUsed: Gas(1), logs, errorData: new Uint8Array(0) },
    ...{ contractAddress: undefined, payer: ZERO_ADDRESS },
  }
  return codec.encode(receiptsCodec, [receipt])
}

const termsOf = ({ address, topics }: Log): readonly LogTerm[] => [
  { address },
  ...topics.map((topic, position) => ({ topic, position })),
]

async function heightsOf(kv: MemoryKv, term: LogTerm, from: number, to: number): Promise<readonly number[]> {
  const found: number[] = []
  for await (const { height, matches } of logIndexEntries(kv, term, Height(from), Height(to))) if (matches) found.push(height)
  return found
}

describe('the log index', () => {
  it('names exactly the blocks that have a term, within the range', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(log, { maxLength: 4 }), { maxLength: 8 }),
        fc.nat(8),
        fc.nat(8),
        async (blocks, a, b) => {
          const kv = new MemoryKv()
          for (const [height, logs] of blocks.entries()) await kv.write(logIndexOps(Height(height), receiptsOf(logs)))
          const [from, to] = [Math.min(a, b), Math.max(a, b)]
          for (const term of blocks.flat().flatMap(termsOf)) {
            const hash = hashOfTerm(term)
            const expected = blocks.flatMap((logs, height) =>
              logs.some((one) => termsOf(one).map(hashOfTerm).includes(hash)) ? [height] : [],
            )
            expect(await heightsOf(kv, term, from, to)).toEqual(expected.filter((height) => height >= from && height <= to))
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  it('tells the positions of a topic apart', async () => {
    const kv = new MemoryKv()
    const [a, b] = [Hash(`0x${'aa'.repeat(32)}`), Hash(`0x${'bb'.repeat(32)}`)]
    await kv.write(logIndexOps(Height(5), receiptsOf([{ address: ZERO_ADDRESS, topics: [a, b], data: new Uint8Array(0) }])))
    expect(await heightsOf(kv, { topic: a, position: 0 }, 0, 9)).toEqual([5])
    expect(await heightsOf(kv, { topic: a, position: 1 }, 0, 9)).toEqual([])
    expect(await heightsOf(kv, { topic: b, position: 1 }, 0, 9)).toEqual([5])
  })

  it('has one record per group, however many logs a block has', () => {
    const logs = Array.from({ length: 1_000 }, (_, i): Log => {
      const topics = [0, 1, 2, 3].map((n) => Hash(`0x${(4 * i + n).toString(16).padStart(64, '0')}`))
      return { address: ZERO_ADDRESS, topics, data: new Uint8Array(0) }
    })
    const receipts = codec.encode(
      receiptsCodec,
      Array.from({ length: 16 }, (_, i): Receipt => {
        const own = logs.map(({ topics, ...rest }) => ({
          ...rest,
          topics: topics.map((topic) => Hash(`0x${i.toString(16)}${topic.slice(3)}`)),
        }))
        return {
          ...{ status: 1, gasUsed: Gas(1), cumulativeGasUsed: Gas(1), logs: own, errorData: new Uint8Array(0) },
          ...{ contractAddress: undefined, payer: ZERO_ADDRESS },
        }
      }),
    )
    const ops = logIndexOps(Height(1), receipts)
    expect(ops).toHaveLength(GROUPS)
    // Each of the 64,000 topics and the address once.
    expect(ops.reduce((sum, { value }) => sum + value!.length, 0)).toBe(4 * 64_001)
  })

  it('is empty for a block without logs', () => {
    expect(logIndexOps(Height(1), receiptsOf([]))).toEqual([])
  })

  it('pins the hash of terms, because databases contain it', () => {
    expect(hashOfTerm({ address: `0x${'12'.repeat(20)}` as Address })).toBe(10_163_039_913_769)
    expect(hashOfTerm({ topic: Hash(`0x${'34'.repeat(32)}`), position: 2 })).toBe(10_631_115_212_186)
  })
})
