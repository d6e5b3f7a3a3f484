import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GasMeter } from './contract/gas-meter.ts'
import { assertTicks, gasLeftOf, gasUsedOf, TICKS_PER_GAS, ticksOf } from './ticks.ts'

const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

describe('gas and ticks', () => {
  it('are bought by the gas limit, and used ones are charged in whole gas', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), fc.double({ min: 0, max: 1, noNaN: true }), (limit, part) => {
        const budget = ticksOf(limit)
        const used = Math.floor(budget * part)
        const charged = gasUsedOf(used)
        expect(charged).toBeLessThanOrEqual(limit)
        expect(charged * TICKS_PER_GAS - used).toBeGreaterThanOrEqual(0)
        expect(charged * TICKS_PER_GAS - used).toBeLessThan(TICKS_PER_GAS)
        expect(charged + gasLeftOf(budget - used)).toBe(limit)
      }),
    )
  })

  it('saturate where a number ends', () => {
    fc.assert(fc.property(count, (gas) => Number.isSafeInteger(ticksOf(gas)) && ticksOf(gas) >= gas))
    expect(ticksOf(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
  })

  it.each([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 53])('are whole and not negative: %s is a bug', (ticks) => {
    expect(() => assertTicks(ticks)).toThrow(/gas accounting/)
    expect(() => new GasMeter(ticks, undefined)).toThrow(/gas accounting/)
    expect(() => new GasMeter(100, undefined).take(ticks)).toThrow(/gas accounting/)
    expect(() => new GasMeter(100, undefined).count(ticks)).toThrow(/gas accounting/)
  })
})

describe('a meter', () => {
  it('gives no more than it has, and is empty after it was asked for more', () => {
    const meter = new GasMeter(100, undefined)
    expect(meter.take(60)).toBe(true)
    expect(meter.take(41)).toBe(false)
    expect([meter.left, meter.used]).toEqual([0, 100])
  })

  it('treats a count above the rest as a bug', () => {
    const meter = new GasMeter(100, undefined)
    meter.count(100)
    expect(() => meter.count(1)).toThrow('gas accounting: 1 of at most 0 ticks')
  })
})
