import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BLOCK_GAS, FILL, LEAST, MOST, type Sender, World } from '../../test/pool-world.ts'
import { senderOf } from '../../test/waiting.ts'

/** An honest sender: it sends its next transaction some blocks after its last one is in a block. */
interface Honest {
  /** Gas that it used recently. */
  readonly use: number
  /** Number of transactions that it sent before. */
  readonly past: number
  readonly gasLimit: number
  /** Parts of the gas limit that its transactions use, in rotation. */
  readonly parts: readonly number[]
  readonly pause: number
}

/** Number of blocks that each transaction waits, by sender; 1 means the next block. Transactions still waiting at the end count too. */
function waits(senders: readonly Honest[], blocks: number, part = 1): readonly (readonly number[])[] {
  const specOf = ({ gasLimit, parts }: Honest, sent: number) => ({ gasLimit, part: parts[sent % parts.length]! })
  const world = new World(
    senders.map((sender): Sender => ({ use: sender.use, past: sender.past, transactions: [specOf(sender, 0)] })),
  )
  const found = senders.map((): number[] => [])
  const since = senders.map((): number | undefined => 0)
  const next = senders.map(() => 0)
  const sent = senders.map(() => 1)
  for (let height = 0; height < blocks; height++) {
    for (const [i, sender] of senders.entries()) {
      if (since[i] !== undefined || height < next[i]!) continue
      world.send(i, sender.past + sent[i]!, specOf(sender, sent[i]!))
      sent[i]!++
      since[i] = height
    }
    const block = world.build({ ...FILL, part })
    const included = new Set(block.map(({ sender }) => sender))
    world.commit(block)
    for (const [i, { pause }] of senders.entries()) {
      const begin = since[i]
      if (begin === undefined || !included.has(senderOf(i))) continue
      found[i]!.push(height - begin + 1)
      since[i] = undefined
      next[i] = height + 1 + pause
    }
  }
  for (const [i, begin] of since.entries()) if (begin !== undefined) found[i]!.push(blocks - begin)
  return found
}

const honest = (limits: readonly [min: number, max: number], useMax: number, partsMax: number) =>
  fc.record({
    use: fc.oneof(fc.constant(0), fc.nat(useMax)),
    past: fc.nat(50),
    gasLimit: fc.oneof(fc.constant(limits[1]), fc.integer({ min: limits[0], max: limits[1] })),
    parts: fc.array(fc.constantFrom(0, 0.1, 0.49, 0.51, 0.75, 0.9999, 1), { minLength: 1, maxLength: partsMax }),
    pause: fc.constantFrom(0, 0, 1, 3),
  })

const full = (part: number): Honest => ({ use: 0, past: 0, gasLimit: MOST, parts: [part], pause: 0 })
/** Asks for up to half a block, and has used nothing recently. */
const large = honest([BLOCK_GAS / 8, MOST], 0, 1)
/** Senders that ask for a quarter of a block together, and have each used at most what one large transaction uses. */
const small = fc.array(honest([LEAST, 600_000], MOST, 4), { maxLength: BLOCK_GAS / 4 / 600_000, size: 'max' })
const most = (found: readonly (readonly number[])[]) => Math.max(0, ...found.flat())

describe('one transfer beside sixty known senders that use half a block each', () => {
  it.each([1, 1 / 2, 1 / 4, 1 / 32])('is in the next block, also if a proposer fills %d of it', (part) => {
    const burners = Array.from({ length: 60 }, () => full(1))
    const transfer = { use: 2_100_000, past: 0, gasLimit: LEAST, parts: [0], pause: 1 }
    const found = waits([...burners, transfer], 20, part).at(-1)!
    expect(found.length).toBeGreaterThan(5)
    expect(Math.max(...found)).toBe(1)
  })
})

describe('beside senders that ask for a quarter of a block together', () => {
  it('one that asks for up to half a block is in the next block, and so are they', () => {
    fc.assert(
      fc.property(large, small, (one, others) => {
        expect(most(waits([one, ...others], 40))).toBe(1)
      }),
      { numRuns: 40 },
    )
  })

  it('two share the blocks, in three at the most, and the others are in a block in two at the most', () => {
    fc.assert(
      fc.property(large, large, small, (one, two, others) => {
        const found = waits([one, two, ...others], 40)
        expect(most(found.slice(0, 2))).toBeLessThanOrEqual(3)
        expect(most(found.slice(2))).toBeLessThanOrEqual(2)
      }),
      { numRuns: 40, examples: [[full(1), full(0.51), [{ ...full(1), gasLimit: 600_000 }]]] },
    )
  })

  it.each([
    ['half of a block waits for one block', MOST, 1],
    ['a whole block would wait for ever', BLOCK_GAS, 60],
  ])('a sender that asks for %s beside a sender of a transfer in each block', (_, gasLimit, blocks) => {
    const transfers = { use: 0, past: 1_000, gasLimit: LEAST, parts: [0], pause: 0 }
    const [, found] = waits([transfers, { use: 0, past: 0, gasLimit, parts: [0.5], pause: 3 }], 60)
    expect(Math.max(...found!)).toBe(blocks)
  })
})
