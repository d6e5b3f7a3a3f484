import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Ranked, Ranking } from './ranking.ts'

interface Item extends Ranked {
  readonly number: number
  key: number
}

describe('a ranking', () => {
  it('has the first item at hand, whatever comes, changes and goes', () => {
    const step = fc.record({ number: fc.nat(30), key: fc.nat(9), goes: fc.integer({ min: 0, max: 3 }).map((n) => n === 0) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const isBefore = (a: Item, b: Item) => (a.key === b.key ? a.number < b.number : a.key > b.key)
        const ranking = new Ranking<Item>(isBefore)
        const items = Array.from({ length: 31 }, (_, number): Item => ({ number, key: 0, place: -1 }))
        const inside = new Set<Item>()
        for (const { number, key, goes } of steps) {
          const item = items[number]!
          if (goes) {
            ranking.delete(item)
            inside.delete(item)
            expect(item.place).toBe(-1)
          } else {
            item.key = key
            ranking.update(item)
            inside.add(item)
          }
          const [first, second] = [...inside].sort((a, b) => (isBefore(a, b) ? -1 : 1))
          expect(ranking.firstBut(undefined)).toBe(first)
          expect(ranking.firstBut(first)).toBe(second)
          expect(ranking.firstBut(second)).toBe(first)
        }
      }),
    )
  })
})
