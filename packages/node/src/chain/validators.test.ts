import {
  Address,
  createValidatorSet,
  LIMITS,
  type Power,
  type PublicKey,
  type Validator,
  type ValidatorSet,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextValidatorSet, smallSetCountMax } from './validators.ts'

const validator = (id: number, power: number, fee = id): Validator => {
  const [address, feeAddress] = [id, fee].map((n) =>
    Address(Uint8Array.from({ length: 20 }, (_, i) => (i === 18 ? n >> 8 : i === 19 ? n & 255 : 1))),
  )
  return { address: address!, feeAddress: feeAddress!, power: power as Power, publicKey: new Uint8Array(34).fill(1) as PublicKey }
}
const setOf = (...members: readonly (readonly [id: number, power: number])[]) =>
  createValidatorSet(members.map(([id, power]) => validator(id, power)))
const powers = (set: ValidatorSet) => set.validators.map(({ address, power }) => `${address}:${power}`)

const anySet = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 5 })), {
    selector: ([id]) => id,
    minLength: 1,
    maxLength: 10,
  })
  .map((members) => setOf(...members))

/** Power that joined and power that left between two sets, by definition. */
function moved(from: ValidatorSet, to: ValidatorSet): { readonly joined: number; readonly left: number } {
  let [joined, left] = [0, 0]
  const addresses = new Set([...from.validators, ...to.validators].map(({ address }) => address))
  for (const address of addresses) {
    const change = (to.get(address)?.power ?? 0) - (from.get(address)?.power ?? 0)
    if (change > 0) joined += change
    else left -= change
  }
  return { joined, left }
}

describe('nextValidatorSet', () => {
  it('never moves a third of the power, of more than three validators', () => {
    fc.assert(
      fc.property(anySet, anySet, (current, wanted) => {
        const next = nextValidatorSet(current, wanted)
        expect(next.validators.length).toBeGreaterThan(0)
        if (current.validators.length <= smallSetCountMax) return
        const { joined, left } = moved(current, next)
        expect(3 * joined).toBeLessThan(current.totalPower)
        expect(3 * left).toBeLessThan(current.totalPower)
      }),
    )
  })

  it('lets at most one join and one leave a set of three or less', () => {
    fc.assert(
      fc.property(anySet, anySet, (current, wanted) => {
        if (current.validators.length > smallSetCountMax) return
        const next = nextValidatorSet(current, wanted)
        const grown = next.validators.filter(({ address, power }) => power > (current.get(address)?.power ?? 0))
        const shrunk = current.validators.filter(({ address, power }) => power > (next.get(address)?.power ?? 0))
        expect(grown.length).toBeLessThanOrEqual(1)
        expect(shrunk.length).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('takes every change at once that is within the bound, and moves only towards what is wanted', () => {
    fc.assert(
      fc.property(anySet, anySet, (current, wanted) => {
        const next = nextValidatorSet(current, wanted)
        for (const { address } of [...current.validators, ...wanted.validators]) {
          const [before, after, goal] = [current, next, wanted].map((set) => set.get(address)?.power ?? 0) as [
            number,
            number,
            number,
          ]
          expect([before, goal]).toContain(after)
        }
        const { joined, left } = moved(current, wanted)
        const fits = 3 * joined < current.totalPower && 3 * left < current.totalPower
        if (fits && current.validators.length > smallSetCountMax) expect(powers(next)).toEqual(powers(wanted))
      }),
    )
  })

  it('arrives, when no single change is a third of the power', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 4, maxLength: 40 })
    fc.assert(
      fc.property(ids, ids, (from, to) => {
        const wanted = setOf(...to.map((id) => [id, 1] as const))
        let current = setOf(...from.map((id) => [id, 1] as const))
        for (let height = 0; height < 80; height++) current = nextValidatorSet(current, wanted)
        expect(powers(current)).toEqual(powers(wanted))
      }),
      { numRuns: 50 },
    )
  })

  it('keeps the old set when the one change wanted is too large', () => {
    const four = setOf([1, 1], [2, 1], [3, 1], [4, 1])
    expect(powers(nextValidatorSet(four, setOf([1, 1], [2, 1], [3, 1], [4, 9])))).toEqual(powers(four))
    expect(powers(nextValidatorSet(four, setOf([1, 1], [2, 1], [3, 1], [4, 1], [5, 2])))).toEqual(powers(four))
  })

  it('rotates one of four in one height, counting joined and left apart', () => {
    const wanted = setOf([1, 1], [2, 1], [3, 1], [5, 1])
    expect(powers(nextValidatorSet(setOf([1, 1], [2, 1], [3, 1], [4, 1]), wanted))).toEqual(powers(wanted))
  })

  it('replaces a single validator', () => {
    expect(powers(nextValidatorSet(setOf([1, 1]), setOf([2, 7])))).toEqual(powers(setOf([2, 7])))
  })

  it('follows a new fee address at once, for it moves no power', () => {
    const current = createValidatorSet([validator(1, 1), validator(2, 9)])
    const wanted = createValidatorSet([validator(1, 1, 7), validator(2, 9, 8)])
    expect(nextValidatorSet(current, wanted).validators).toEqual(wanted.validators)
  })

  it('never grows over the limit of validators', () => {
    const members = (from: number) => Array.from({ length: LIMITS.validatorsMax }, (_, i) => [from + i, 1] as const)
    let current = setOf(...members(1))
    for (let height = 0; height < 12; height++) {
      current = nextValidatorSet(current, setOf(...members(200)))
      expect(current.validators.length).toBeLessThanOrEqual(LIMITS.validatorsMax)
    }
    expect(powers(current)).toEqual(powers(setOf(...members(200))))
    // One that may not leave, because it alone has half of the power, keeps the last place.
    const full = setOf([1, 127], ...members(2).slice(1))
    expect(powers(nextValidatorSet(full, setOf(...members(3))))).toEqual(powers(full))
  })
})
