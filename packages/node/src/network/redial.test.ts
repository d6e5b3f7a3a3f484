import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redialMs } from './redial.ts'

const limits = { redialMsMin: 250, redialMsMax: 5_000 }

describe('redial wait', () => {
  it('is 0 at first, then doubles up to the limit', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 100].map((failures) => redialMs(failures, 0, limits))).toEqual([
      0, 125, 250, 500, 1_000, 2_000, 2_500, 2_500, 2_500,
    ])
  })

  it('is random over the upper half of its range', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
        const wait = redialMs(failures, random, limits)
        const least = redialMs(failures, 0, limits)
        expect(wait).toBeGreaterThanOrEqual(least)
        expect(wait).toBeLessThan(2 * least)
        expect(wait).toBeLessThanOrEqual(limits.redialMsMax)
      }),
    )
  })
})
