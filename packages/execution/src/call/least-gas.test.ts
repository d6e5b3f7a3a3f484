import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leastGas } from './least-gas.ts'

/** Counts the trials of a predicate. */
function counted(succeeds: (gas: number) => boolean) {
  const tried = new Map<number, boolean>()
  const trial = (gas: number) => {
    expect(tried.has(gas)).toBe(false)
    tried.set(gas, succeeds(gas))
    return succeeds(gas) ? ('succeeds' as const) : ('fails' as const)
  }
  return { trial, tried }
}

describe('the least gas', () => {
  it('is between a success and a failure that were both seen, whatever depends on gas', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20_999, max: 60_000 }),
        fc.integer({ min: 1, max: 15_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.nat(15_100_000), { maxLength: 6 }),
        (failing, distance, share, borders) => {
          const succeeding = failing + distance
          const used = failing + 1 + Math.floor((distance - 1) * share)
          // Success and failure by turns, beginning with whatever is right at the upper end.
          const succeeds = (gas: number) =>
            gas > failing && (gas >= succeeding || borders.filter((at) => at > gas).length % 2 === 0)
          const { trial, tried } = counted(succeeds)
          const found = leastGas(failing, succeeding, used, trial)
          expect(succeeds(found)).toBe(true)
          expect(succeeds(found - 1)).toBe(false)
          if (found !== succeeding) expect(tried.get(found)).toBe(true)
          if (found - 1 !== failing) expect(tried.get(found - 1)).toBe(false)
          expect(tried.size).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(distance)) + 3)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('takes two trials where gas decides nothing', () => {
    const { trial, tried } = counted((gas) => gas >= 91_234)
    expect(leastGas(20_999, 15_000_000, 91_234, trial)).toBe(91_234)
    expect([...tried.keys()]).toEqual([91_234, 91_233])
  })

  it('takes few where a 64th must be kept back', () => {
    const { trial, tried } = counted((gas) => gas >= 92_500)
    expect(leastGas(20_999, 15_000_000, 91_234, trial)).toBe(92_500)
    expect(tried.size).toBeLessThan(14)
  })

  it('stays near what was used where a failure is caught', () => {
    // Below 90,000 the inner call fails and is caught; below 50,000 everything fails.
    const { trial } = counted((gas) => gas >= 91_234 || (gas >= 50_000 && gas < 90_000))
    expect(leastGas(20_999, 15_000_000, 91_234, trial)).toBe(91_234)
  })
})
