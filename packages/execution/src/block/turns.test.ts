import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

interface Next {
  readonly gasLimit: number
  readonly gasUsed: number
}

interface Taker {
  readonly use: number
  readonly arrival: number
  readonly transactions: Next[]
}

/** Order of turns until no taker has anything left or the gas is used up. */
function turnsOf(takers: readonly Taker[], gasMax: number): number[] {
  const turns = new Turns(takers.length)
  const left = takers.map(({ transactions }) => [...transactions])
  for (const [i, { use, arrival }] of takers.entries()) turns.add(use, left[i]![0]!.gasLimit, arrival)
  const order: number[] = []
  let spent = 0
  for (let at = turns.next; at !== undefined && spent < gasMax; at = turns.next) {
    const { gasUsed } = left[at]!.shift()!
    spent += gasUsed
    order.push(at)
    turns.took(gasUsed, gasMax === 0 ? 1 : spent / gasMax, left[at]![0]?.gasLimit)
  }
  return order
}

/** The same, by comparing all takers each time. */
function slowTurns(takers: readonly Taker[], gasMax: number): number[] {
  const waiting = takers.map(({ use, arrival, transactions }, number) => {
    return { number, use, rank: arrival - 1_000, left: [...transactions] }
  })
  const order: number[] = []
  let spent = 0
  while (spent < gasMax) {
    const key = ({ use, left }: { use: number; left: Next[] }) => (4 * spent < gasMax ? use : use + left[0]!.gasLimit)
    const [first] = waiting.filter(({ left }) => left.length > 0).toSorted((a, b) => key(a) - key(b) || a.rank - b.rank)
    if (first === undefined) break
    const { gasUsed } = first.left.shift()!
    first.use += gasUsed
    spent += gasUsed
    first.rank = order.push(first.number)
  }
  return order
}

const next = fc
  .record({ gasLimit: fc.integer({ min: 1, max: 250 }), part: fc.constantFrom(0, 0.1, 0.5, 1) })
  .map(({ gasLimit, part }) => ({ gasLimit, gasUsed: Math.floor(part * gasLimit) }))
const taker = fc.record({
  use: fc.oneof(fc.constantFrom(0, 21, 100), fc.nat(500)),
  arrival: fc.nat(900),
  transactions: fc.array(next, { minLength: 1, maxLength: 8 }),
})

describe('turns', () => {
  it('go as they do by looking at all takers each time', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(taker, { maxLength: 12, selector: ({ arrival }) => arrival }),
        fc.constantFrom(0, 1, 100, 1_000),
        (takers, gasMax) => {
          expect(turnsOf(takers, gasMax)).toEqual(slowTurns(takers, gasMax))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  const each = (count: number, gasLimit: number, gasUsed: number) =>
    Array.from({ length: count }, (): Next => ({ gasLimit, gasUsed }))

  it('begin with the taker that used least, however much its transaction allows', () => {
    const light = { use: 21, arrival: 0, transactions: each(40, 21, 21) }
    expect(turnsOf([light, light, { use: 20, arrival: 1, transactions: each(1, 250, 250) }], 1_000)[0]).toBe(2)
  })

  it('pass on as soon as somebody has used less', () => {
    const [a, b] = [
      { use: 0, arrival: 0, transactions: each(4, 250, 100) },
      { use: 150, arrival: 1, transactions: each(2, 250, 21) },
    ]
    expect(turnsOf([a, b], 10_000)).toEqual([0, 0, 1, 1, 0, 0])
  })

  it('give many takers that used nothing and allow much a quarter of a block before one that used a little and asks for little', () => {
    const heavy = Array.from({ length: 20 }, (_, arrival) => ({ use: 0, arrival, transactions: each(1, 250, 250) }))
    expect(turnsOf([...heavy, { use: 40, arrival: 20, transactions: each(1, 21, 21) }], 1_000).slice(0, 4)).toEqual([0, 20, 1, 2])
  })
})
