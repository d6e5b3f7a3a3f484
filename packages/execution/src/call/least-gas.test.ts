import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leastGas } from './least-gas.ts'

/** Counts the trials of a predicate. */
function counted(does: (gas: number) => boolean) {
  const tried = new Map<number, boolean>()
  const trial = (gas: number) => {
    expect(tried.has(gas)).toBe(false)
    tried.set(gas, does(gas))
    return does(gas) ? ('does' as const) : ('does-not' as const)
  }
  return { trial, tried }
}

describe('the least gas', () => {
  it('is the used gas, or lies between a limit that works and one that does not, both tried', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 21_000, max: 15_000_000 }),
        fc.integer({ min: 0, max: 15_000_000 }),
        fc.array(fc.nat(15_100_000), { maxLength: 6 }),
        (used, distance, borders) => {
          const plenty = used + distance
          // Alternating, starting with the value that is right at the upper end.
          const does = (gas: number) => gas >= plenty || borders.filter((at) => used + at > gas).length % 2 === 0
          const { trial, tried } = counted(does)
          const found = leastGas(used, plenty, trial)
          expect(does(found)).toBe(true)
          if (found !== plenty) expect(tried.get(found)).toBe(true)
          if (does(used)) expect(found).toBe(used)
          else expect(tried.get(found - 1)).toBe(false)
          expect(Math.min(...tried.keys(), plenty)).toBeGreaterThanOrEqual(used)
          expect(tried.size).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(distance + 1)) + 3)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('takes one trial if the used gas suffices, even if less would work', () => {
    const { trial, tried } = counted((gas) => gas >= 50_000)
    expect(leastGas(91_234, 15_000_000, trial)).toBe(91_234)
    expect([...tried.keys()]).toEqual([91_234])
  })

  it('takes few where a 64th must be kept back', () => {
    const { trial, tried } = counted((gas) => gas >= 92_500)
    expect(leastGas(91_234, 15_000_000, trial)).toBe(92_500)
    expect(tried.size).toBeLessThan(14)
  })

  it('takes none where all of it was used', () => {
    const { trial, tried } = counted(() => false)
    expect(leastGas(91_234, 91_234, trial)).toBe(91_234)
    expect(tried.size).toBe(0)
  })

  it('is all of the gas if less does not work', () => {
    const { trial } = counted(() => false)
    expect(leastGas(91_234, 15_000_000, trial)).toBe(15_000_000)
  })
})
