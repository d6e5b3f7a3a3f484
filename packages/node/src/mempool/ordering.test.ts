import type { SignedTransaction } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BLOCK_GAS, FILL, LEAST, MOST, type Sender, World } from '../../test/pool-world.ts'
import { senderOf } from '../../test/waiting.ts'
import { OFFER_LIMITS, POOL_LIMITS } from './limits.ts'

const FLOOR = POOL_LIMITS.useFloorGas
const TRANSFER = { gasLimit: LEAST, part: 0 }

const gasLimit = fc.oneof(fc.constantFrom(LEAST, MOST), fc.integer({ min: LEAST, max: MOST }))
const spec = fc.record({ gasLimit, part: fc.constantFrom(0, 0.1, 1) })
const sender = (use: fc.Arbitrary<number | undefined>) =>
  fc.record({ use, transactions: fc.array(spec, { minLength: 1, maxLength: 6 }) })

describe('the order where gas is free', () => {
  it('has the sender that used least in the next block, whatever others flood the pool with', () => {
    const flood = fc.array(sender(fc.oneof(fc.constant(undefined), fc.integer({ min: FLOOR + 2, max: 10 ** 8 }))), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(flood, spec, (others, transaction) => {
        const honest = others.length
        const world = new World([...others, { use: FLOOR + 1, transactions: [transaction] }])
        // The newcomers have used something too.
        const stranger = senderOf(honest + 1)
        world.use.add({ bySender: new Map([[stranger, FLOOR + 2]]), began: new Set([stranger]) })
        world.waiting.useChanged([], world.use.newcomers)
        const [first] = world.build()
        expect(first!.sender).toBe(senderOf(honest))
      }),
    )
  })

  it('has one that used little and asks for little in the next block, however many fresh ones ask for much', () => {
    const kind = fc.record({ isKnown: fc.boolean(), count: fc.integer({ min: 1, max: 40 }) })
    const flood = fc.array(kind, { minLength: 1, maxLength: 300, size: 'max' })
    // A part of a block that leaves nothing over, or something; of its gas, or of its bytes.
    const heavy = fc.oneof(
      fc.record({
        gasLimit: fc.constantFrom(MOST, MOST / 2, MOST / 3, MOST / 4),
        part: fc.constantFrom(0, 0.3, 0.49, 0.9999, 1),
      }),
      fc.record({ gasLimit: fc.constant(1_100_000), part: fc.constant(1), bytes: fc.constantFrom(128 * 1024, 256 * 1024) }),
    )
    fc.assert(
      fc.property(flood, heavy, fc.integer({ min: 0, max: 100 * LEAST }), (others, transaction, use) => {
        const senders = others.map(({ isKnown, count }): Sender => {
          return { use: isKnown ? 0 : undefined, transactions: new Array(count).fill(transaction) }
        })
        const world = new World([...senders, { use, transactions: [{ gasLimit: LEAST, part: 0 }] }])
        expect(world.build().map((transaction) => transaction.sender)).toContain(senderOf(others.length))
      }),
      { numRuns: 50 },
    )
  })

  it('counts what was really used, within a block and over blocks', () => {
    const cheap = { use: 0, transactions: new Array(3_000).fill({ gasLimit: MOST, part: 0 }) }
    const used = { use: 10_000_000, transactions: new Array(4_000).fill({ gasLimit: LEAST, part: 0 }) }
    const block = new World([cheap, used]).build()
    // The first quarter is ordered by use alone: 333 transfers until both have used the same, counted from the floor, then 262 in turn.
    expect(block.filter(({ sender: from }) => from === senderOf(0)).length).toBeGreaterThan(590)

    const heavy = (use: number): Sender => ({ use, transactions: new Array(8).fill({ gasLimit: MOST, part: 1 }) })
    const world = new World([heavy(0), heavy(40_000_000)])
    const order = [1, 2].map(() => {
      const made = world.build()
      world.commit(made)
      return made.map(({ sender: from }) => [0, 1].find((n) => senderOf(n) === from))
    })
    expect(order).toEqual([
      [0, 0],
      [1, 0],
    ])
  })

  it('gives ten thousand fresh keys what it gives one', () => {
    const known = Array.from({ length: 5 }, (): Sender => {
      return { use: 400_000, transactions: new Array(800).fill({ gasLimit: LEAST, part: 0 }) }
    })
    const one = { use: undefined, transactions: new Array(4_000).fill({ gasLimit: LEAST, part: 0 }) }
    const many = new Array<Sender>(10_000).fill({ use: undefined, transactions: [{ gasLimit: LEAST, part: 0 }] })
    const isKnown = ({ sender: from }: SignedTransaction) => known.some((_, i) => senderOf(i) === from)
    const taken = [
      [...known, one],
      [...known, ...many],
    ].map((senders) => new World(senders).build())
    expect(taken.map((block) => block.length)).toEqual([3_428, 3_428])
    const [beside, beside10000] = taken.map((block) => block.filter(isKnown).length)
    expect(beside10000).toBe(beside)
    expect(beside).toBeGreaterThan(2_700)
  })

  it('has those first that have sent most, of those that used little, in an eighth of the block by what they ask', () => {
    const some = fc.record({
      use: fc.constantFrom(0, FLOOR, FLOOR + 1),
      past: fc.nat(30),
      transactions: fc.constantFrom(LEAST, 100_000, MOST / 4).map((gasLimit) => [{ gasLimit, part: 0 }]),
    })
    fc.assert(
      fc.property(fc.array(some, { maxLength: 60 }), fc.constantFrom(FILL.gasMax, 3_000_000), (senders, gasMax) => {
        const world = new World(senders)
        const fill = { ...FILL, gasMax }
        let left = OFFER_LIMITS.regularsPart * gasMax
        const expected: number[] = []
        const order = senders.map((_, i) => i).toSorted((a, b) => senders[b]!.past - senders[a]!.past || a - b)
        for (const i of order) {
          const { use, past, transactions } = senders[i]!
          const { gasLimit: asked } = transactions[0]!
          if (past === 0 || use > FLOOR || asked > gasMax || left < LEAST || (asked > left && expected.length > 0)) continue
          expected.push(i)
          left -= asked
        }
        const first = world.offer(fill).filter(({ use }) => use < FLOOR)
        const names = (numbers: readonly number[]) => numbers.map(senderOf).toSorted()
        expect(first.map(({ candidates }) => candidates[0]!.sender).toSorted()).toEqual(names(expected))
      }),
      { examples: [[[{ use: 0, past: 1, transactions: [{ gasLimit: MOST / 4, part: 0 }] }], 3_000_000]] },
    )
  })

  it('finds those that have sent most among more than it keeps in mind', () => {
    const count = 3_000
    const past = (i: number) => 1 + ((i * 7_919) % 1_009)
    const world = new World(Array.from({ length: count }, (_, i) => ({ use: 0, past: past(i), transactions: [TRANSFER] })))
    const first = world.offer().flatMap(({ use, candidates }) => (use < FLOOR ? [candidates[0]!.nonce] : []))
    const most = Array.from({ length: count }, (_, i) => past(i)).toSorted((a, b) => b - a)
    expect(first.toSorted((a, b) => b - a)).toEqual(most.slice(0, Math.floor(BLOCK_GAS / 8 / LEAST)))
  })

  it('gives four thousand fresh keys no more in the blocks after their first one', () => {
    const known = Array.from({ length: 5 }, (): Sender => {
      return { use: 4_000_000, transactions: new Array(2_200).fill(TRANSFER) }
    })
    /** Transactions of the known senders in each block, against keys that send more whenever all their transactions are in blocks. */
    const ofKnown = (keys: number, each: number) => {
      const fresh = new Array<Sender>(keys).fill({ use: undefined, transactions: new Array(each).fill(TRANSFER) })
      const world = new World([...known, ...fresh])
      const next = new Map(fresh.map((_, i) => [senderOf(5 + i), each] as const))
      return [1, 2, 3].map(() => {
        const block = world.build()
        world.commit(block)
        for (const { sender: from, nonce } of block)
          if (next.get(from) === nonce + 1) {
            world.send(5 + [...next.keys()].indexOf(from), nonce + 1, TRANSFER)
            next.set(from, nonce + 2)
          }
        return block.length - block.filter(({ sender: from }) => next.has(from)).length
      })
    }
    const beside = ofKnown(1, 8_000)
    expect(ofKnown(4_000, 1)).toEqual(beside)
    expect(Math.min(...beside)).toBeGreaterThan(0)
  })

  it('has newcomers take turns in the order in which they came', () => {
    const two = [LEAST, LEAST].map((limit) => ({ gasLimit: limit, part: 0 }))
    const world = new World([1, 2, 3].map(() => ({ use: undefined, transactions: two })))
    const [queue] = world.offer()
    expect(queue!.candidates.map(({ sender: from, nonce }) => [from, nonce])).toEqual(
      [0, 1].flatMap((nonce) => [0, 1, 2].map((n) => [senderOf(n), nonce])),
    )
  })

  it('fills a block by the gas that is used, and loses nothing: every transaction gets into a block in nonce order', () => {
    const anybody = sender(fc.oneof(fc.constant(undefined), fc.constantFrom(0, LEAST, 10 ** 7)))
    fc.assert(
      fc.property(fc.array(anybody, { maxLength: 40 }), (senders) => {
        const world = new World(senders)
        const again = new World(senders)
        let left = world.waiting.count
        while (left > 0) {
          const block = world.build()
          const gas = block.reduce((sum, transaction) => sum + world.gasOf.get(transaction)!, 0)
          // Transactions that are left out did not fit.
          if (block.length < left) expect(gas).toBeGreaterThan(BLOCK_GAS - MOST)
          const place = ({ sender: from, nonce }: SignedTransaction) => `${from} ${nonce}`
          expect(again.build().map(place)).toEqual(block.map(place))
          again.commit(again.build())
          world.commit(block)
          left -= block.length
          expect(world.waiting.count).toBe(left)
        }
      }),
    )
  })

  it('offers somewhat more than a block takes, by the least gas of each transaction, and no more than its bytes', () => {
    const flood = Array.from({ length: 30 }, (): Sender => {
      return { use: 0, transactions: new Array(1_000).fill({ gasLimit: MOST, part: 0 }) }
    })
    const world = new World(flood)
    const count = (fill = FILL) => world.offer(fill).reduce((sum, { candidates }) => sum + candidates.length, 0)
    expect(count()).toBe(Math.floor((OFFER_LIMITS.gasFactor * BLOCK_GAS) / LEAST))
    expect(count({ ...FILL, bytesMax: 110 * 100 })).toBe(OFFER_LIMITS.bytesFactor * 100)
    // Later rounds have smaller blocks, in which these never fit.
    expect(count({ ...FILL, gasMax: MOST - 1 })).toBe(0)
  })

  it('looks at no more than a bounded number of newcomers that may not be offered', () => {
    const unfit: Sender = { use: undefined, transactions: [{ gasLimit: MOST, part: 0 }] }
    const fit: Sender = { use: undefined, transactions: [{ gasLimit: LEAST, part: 0 }] }
    const world = (count: number) => new World([...new Array<Sender>(count).fill(unfit), fit])
    const fill = { ...FILL, gasMax: MOST - 1 }
    expect(world(OFFER_LIMITS.missesMax - 1).build(fill)).toHaveLength(1)
    expect(world(OFFER_LIMITS.missesMax).build(fill)).toHaveLength(0)
  })
})
