import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { height, round, validatorSet } from '../test/fixtures.ts'
import { selectProposer } from './proposer.ts'

const named = (powers: readonly number[]) =>
  validatorSet(Object.fromEntries(powers.map((power, i) => [`v${String(i).padStart(3, '0')}`, power])))
const weights = (max: number) => fc.array(fc.integer({ min: 1, max }), { minLength: 1, maxLength: 24 })
const anyHeight = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 5_000 })

function counts(powers: readonly number[], from: number, length: number): readonly number[] {
  const set = named(powers)
  const found = new Map(set.validators.map((validator) => [validator.address, 0]))
  for (let h = from; h < from + length; h++) {
    const proposer = selectProposer(set, height(h), round(0))
    found.set(proposer, found.get(proposer)! + 1)
  }
  return [...found.values()]
}

describe('proposer selection', () => {
  it('gives every validator its share of any run of heights, to within 2·ceil(log2 n)', () => {
    fc.assert(
      fc.property(weights(2 ** 32), anyHeight, fc.integer({ min: 1, max: 300 }), (powers, from, length) => {
        const total = powers.reduce((sum, power) => sum + power, 0)
        const bound = 2 * Math.ceil(Math.log2(powers.length))
        counts(powers, from, length).forEach((count, i) => {
          expect(Math.abs(count - (length * powers[i]!) / total)).toBeLessThanOrEqual(bound)
        })
      }),
      { numRuns: 60 },
    )
  })

  it('gives exactly the share over totalPower heights, wherever they begin', () => {
    fc.assert(
      fc.property(weights(12), anyHeight, (powers, from) => {
        const total = powers.reduce((sum, power) => sum + power, 0)
        expect(counts(powers, from, total)).toEqual(powers)
      }),
      { numRuns: 60 },
    )
  })

  it('is strict round robin among equals', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 2 ** 32 }), anyHeight, (n, power, from) => {
        expect(counts(Array<number>(n).fill(power), from, n)).toEqual(Array<number>(n).fill(1))
      }),
      { numRuns: 60 },
    )
  })

  it('asks every validator once in n rounds, and begins again', () => {
    fc.assert(
      fc.property(weights(2 ** 32), anyHeight, (powers, h) => {
        const set = named(powers)
        const n = powers.length
        const order = Array.from({ length: 2 * n }, (_, r) => selectProposer(set, height(h), round(r)))
        expect(new Set(order.slice(0, n)).size).toBe(n)
        expect(order.slice(n)).toEqual(order.slice(0, n))
      }),
      { numRuns: 60 },
    )
  })

  it('shares the turns of a crashed validator among the others by power', () => {
    const set = validatorSet({ a: 3, b: 1, c: 2, d: 2 })
    const crashed = set.validators[0]!.address
    const found = new Map<string, number>()
    let turns = 0
    for (let h = 0; turns < 500; h++) {
      if (selectProposer(set, height(h), round(0)) !== crashed) continue
      turns++
      const stand = selectProposer(set, height(h), round(1))
      found.set(stand, (found.get(stand) ?? 0) + 1)
    }
    const shares = set.validators.slice(1).map(({ address, power }) => found.get(address)! / 500 - power / 5)
    for (const deviation of shares) expect(Math.abs(deviation)).toBeLessThan(0.02)
  })

  it('does not change (golden)', () => {
    const set = validatorSet({ a: 5, b: 1, c: 3, d: 1 })
    const names = Array.from({ length: 20 }, (_, h) =>
      String.fromCharCode(Number(selectProposer(set, height(h), round(0)).slice(0, 4))),
    )
    expect(names.join('')).toMatchInlineSnapshot(`"dbcaacacaadbcaacacaa"`)
  })
})
