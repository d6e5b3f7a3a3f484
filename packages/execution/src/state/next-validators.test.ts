import {
  Address,
  createValidatorSet,
  type Hash,
  type Height,
  idOfName,
  LIMITS,
  nameOfId,
  numberToBytes,
  type Power,
  type PublicKey,
  type RosterEntry,
  type Validator,
  type ValidatorSet,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextValidatorSet, READY_HEIGHTS, SMALL_SET_COUNT_MAX } from './next-validators.ts'

type Bounds = Parameters<typeof nextValidatorSet>[3]
const BOUNDS: Bounds = { validatorsMin: 1, validatorsMax: LIMITS.validatorsMax }
const publicKey = new Uint8Array(34).fill(1) as PublicKey
const keyAddress = (key: number) => Address(numberToBytes(key, 20))
const idOf = (n: number): Hash => idOfName(`v${n}`)!

/** A validator `v<n>` whose key has the number `key`. */
const member = (n: number, power: number, key = n): Validator => ({
  id: idOf(n),
  address: keyAddress(key),
  feeAddress: keyAddress(0xfee),
  power: power as Power,
  publicKey,
})
const setOf = (...members: readonly (readonly [n: number, power: number, key?: number])[]) =>
  createValidatorSet(members.map(([n, power, key]) => member(n, power, key)))
const wantedOf = ([n, power, key = n]: readonly [n: number, power: number, key?: number], rest: Partial<RosterEntry> = {}) =>
  ({
    ...member(n, power, key),
    organisation: idOf(n),
    peerIds: [],
    readyAt: 1 as Height,
    changedAt: 1 as Height,
    rotatedAt: 0 as Height,
    equivocated: false,
    ...rest,
  }) satisfies RosterEntry
type Wanted = readonly (readonly [n: number, power: number, key?: number])[]
const rosterOf = (...wanted: Wanted) => wanted.map((one) => wantedOf(one))
const next = (current: ValidatorSet, roster: readonly RosterEntry[], height = 1, bounds: Bounds = BOUNDS) =>
  nextValidatorSet(current, roster, height as Height, bounds)
const shown = (set: ValidatorSet) =>
  set.validators.map(({ id, address, power }) => `${nameOfId(id)}:${Number(address)}:${power}`).toSorted()
const steps = (current: ValidatorSet, roster: readonly RosterEntry[], bounds: Bounds = BOUNDS): string[][] => {
  const seen: string[][] = []
  let set = current
  for (let i = 0; i < 200; i++) {
    const following = next(set, roster, 1, bounds)
    if (following === set) return seen
    set = following
    seen.push(shown(set))
  }
  throw new Error('it does not come to rest')
}

const powers = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constantFrom(1, 30, 1_000))
const anyMembers = (minLength: number) =>
  fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 12 }), powers), { selector: ([n]) => n, minLength, maxLength: 10 })
const anySet = anyMembers(1).map((members) => setOf(...members))
/** A roster with entries of the same ids under old and new keys, of all ages, some not ready, some out. */
const anyRoster = fc
  .uniqueArray(
    fc.record({
      n: fc.integer({ min: 1, max: 12 }),
      power: fc.oneof(powers, fc.constant(0)),
      rotates: fc.boolean(),
      isReady: fc.boolean(),
      changedAt: fc.nat(5),
      equivocated: fc.integer({ min: 0, max: 9 }).map((die) => die === 0),
    }),
    { selector: ({ n }) => n, maxLength: 12 },
  )
  .map((entries) =>
    entries.map(({ n, power, rotates, isReady, changedAt, equivocated }) =>
      wantedOf([n, power, rotates ? 100 + n : n], {
        changedAt: changedAt as Height,
        readyAt: (isReady ? 1 : 0) as Height,
        equivocated,
      }),
    ),
  )

/** Power that joined and power that left between two sets, by key. */
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

describe('the next validator set', () => {
  it('never moves a third of the power of more than three validators, nor gives an id power under two keys', () => {
    fc.assert(
      fc.property(anySet, anyRoster, (current, roster) => {
        const after = next(current, roster)
        expect(after.validators.length).toBeGreaterThan(0)
        expect(new Set(after.validators.map(({ id }) => id)).size).toBe(after.validators.length)
        if (current.validators.length <= SMALL_SET_COUNT_MAX) return
        const { joined, left } = moved(current, after)
        expect(3 * joined).toBeLessThan(current.totalPower)
        expect(3 * left).toBeLessThan(current.totalPower)
      }),
      { numRuns: 5_000 },
    )
  })

  it('changes at most one member of a set of three or less', () => {
    fc.assert(
      fc.property(anySet, anyRoster, (current, roster) => {
        fc.pre(current.validators.length <= SMALL_SET_COUNT_MAX)
        const after = next(current, roster)
        const ids = new Set([...current.validators, ...after.validators].map(({ id }) => id))
        const changed = [...ids].filter((id) => {
          const [before, now] = [current.withId(id), after.withId(id)]
          return before?.power !== now?.power || before?.address !== now?.address
        })
        expect(changed.length).toBeLessThanOrEqual(1)
      }),
      { numRuns: 2_000 },
    )
  })

  it('gives no id more than the larger of what it has and what it wants, through any rotations and removals', () => {
    fc.assert(
      fc.property(anySet, fc.array(anyRoster, { minLength: 1, maxLength: 6 }), (start, rosters) => {
        let current = start
        for (const roster of rosters) {
          for (let height = 0; height < 3; height++) {
            const after = next(current, roster)
            for (const validator of after.validators) {
              const before = current.withId(validator.id)
              const entry = roster.find(({ id }) => id === validator.id)
              const wanted = entry === undefined || entry.equivocated ? 0 : entry.power
              expect(validator.power).toBeLessThanOrEqual(Math.max(before?.power ?? 0, wanted))
              if (before?.address !== validator.address) expect(validator.address).toBe(entry?.address)
            }
            current = after
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes every change at once that is within the bound', () => {
    fc.assert(
      fc.property(anyMembers(6), fc.nat(), powers, fc.boolean(), (members, chosen, power, rotates) => {
        const at = chosen % members.length
        const wanted = members.map(
          ([n, was], i) => [n, i === at ? power : was, i === at && rotates && power === was ? 99 : n] as const,
        )
        const [current, goal] = [setOf(...members), setOf(...wanted)]
        const { joined, left } = moved(current, goal)
        fc.pre(3 * joined < current.totalPower && 3 * left < current.totalPower)
        expect(shown(next(current, rosterOf(...wanted)))).toEqual(shown(goal))
      }),
    )
  })

  it('arrives from every set at every roster, and rests there', () => {
    fc.assert(
      fc.property(anySet, anyMembers(1), fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (current, wanted, rotates) => {
        const keyed = wanted.map(([n, power]) => [n, power, rotates[n - 1] === true ? 100 + n : n] as const)
        const seen = steps(current, rosterOf(...keyed))
        expect(seen.at(-1) ?? shown(current)).toEqual(shown(setOf(...keyed)))
      }),
      { numRuns: 500 },
    )
  })

  it('moves a change that is too large in parts, so that one with more than a third can be removed', () => {
    const roster = rosterOf([2, 1], [3, 1], [4, 1])
    expect(steps(setOf([1, 3], [2, 1], [3, 1], [4, 1]), [...roster, wantedOf([1, 0])])).toEqual([
      ['v1:1:2', 'v2:2:1', 'v3:3:1', 'v4:4:1'],
      ['v1:1:1', 'v2:2:1', 'v3:3:1', 'v4:4:1'],
      ['v2:2:1', 'v3:3:1', 'v4:4:1'],
    ])
    expect(steps(setOf([1, 1], [2, 1], [3, 1], [4, 1]), [...roster, wantedOf([1, 3])])).toEqual([
      ['v1:1:2', 'v2:2:1', 'v3:3:1', 'v4:4:1'],
      ['v1:1:3', 'v2:2:1', 'v3:3:1', 'v4:4:1'],
    ])
  })

  it('rotates one of four in one height', () => {
    const four = setOf([1, 1], [2, 1], [3, 1], [4, 1])
    expect(steps(four, rosterOf([1, 1], [2, 1], [3, 1], [4, 1, 50]))).toEqual([['v1:1:1', 'v2:2:1', 'v3:3:1', 'v4:50:1']])
  })

  it('rotates one with half of the power by lowering it first, and never gives it more than it had', () => {
    expect(steps(setOf([1, 3], [2, 1], [3, 1], [4, 1]), rosterOf([1, 3, 50], [2, 1], [3, 1], [4, 1]))).toEqual([
      ['v1:1:2', 'v2:2:1', 'v3:3:1', 'v4:4:1'],
      ['v1:1:1', 'v2:2:1', 'v3:3:1', 'v4:4:1'],
      ['v1:50:1', 'v2:2:1', 'v3:3:1', 'v4:4:1'],
      ['v1:50:2', 'v2:2:1', 'v3:3:1', 'v4:4:1'],
      ['v1:50:3', 'v2:2:1', 'v3:3:1', 'v4:4:1'],
    ])
  })

  it('makes the oldest change first, and of equal age the one with the lower id', () => {
    const current = setOf([1, 1], [2, 1], [3, 1], [4, 1])
    const stay = rosterOf([1, 1], [2, 1], [3, 1], [4, 1])
    const joining = (...ages: readonly number[]) =>
      ages.map((changedAt, i) => wantedOf([5 + i, 1], { changedAt: changedAt as Height }))
    const first = (roster: readonly RosterEntry[]) => shown(next(current, roster)).at(-1)
    expect(first([...stay, ...joining(3, 2)])).toBe('v6:6:1')
    expect(first([...joining(2, 2), ...stay])).toBe('v5:5:1')
  })

  it('lets nobody in whose key has not shown lately that it is in use', () => {
    const current = setOf([1, 1], [2, 1], [3, 1], [4, 1])
    const joins = (readyAt: number, height: number) => {
      const roster = [...rosterOf([1, 1], [2, 1], [3, 1], [4, 1]), wantedOf([5, 1], { readyAt: readyAt as Height })]
      return next(current, roster, height).validators.length === 5
    }
    expect([joins(0, 1), joins(10, 10 + READY_HEIGHTS), joins(10, 11 + READY_HEIGHTS)]).toEqual([false, true, false])
    const rotating = [...rosterOf([1, 1], [2, 1], [3, 1]), wantedOf([4, 1, 50], { readyAt: 0 as Height })]
    expect(next(current, rotating)).toBe(current)
    // Who is in the set stays without proof.
    expect(next(current, rosterOf([1, 1], [2, 1], [3, 1], [4, 1]), 9_999)).toBe(current)
  })

  it('takes the power of one that equivocated, but not below the smallest set', () => {
    const roster = [...rosterOf([1, 1], [2, 1], [3, 1]), wantedOf([4, 1], { equivocated: true })]
    const current = setOf([1, 1], [2, 1], [3, 1], [4, 1])
    expect(shown(next(current, roster))).toEqual(['v1:1:1', 'v2:2:1', 'v3:3:1'])
    expect(next(current, roster, 1, { ...BOUNDS, validatorsMin: 4 })).toBe(current)
  })

  it('keeps the last validator, and replaces a single one in two heights', () => {
    expect(shown(next(setOf([1, 1]), []))).toEqual(['v1:1:1'])
    expect(steps(setOf([1, 1]), [wantedOf([1, 0]), wantedOf([2, 7])])).toEqual([['v1:1:1', 'v2:2:7'], ['v2:2:7']])
    expect(steps(setOf([1, 1]), rosterOf([1, 1, 50]))).toEqual([['v1:50:1']])
  })

  it('never grows over the limits', () => {
    const many = (from: number) => Array.from({ length: LIMITS.validatorsMax }, (_, i) => [from + i, 1] as const)
    const roster = rosterOf(...many(200))
    let current = setOf(...many(1))
    for (let height = 0; height < 12; height++) {
      current = next(current, roster)
      expect(current.validators.length).toBeLessThanOrEqual(LIMITS.validatorsMax)
    }
    expect(shown(current)).toEqual(shown(setOf(...many(200))))
    const four = setOf([1, 1], [2, 1], [3, 1], [4, 1])
    expect(next(four, rosterOf([1, 1], [2, 1], [3, 1], [4, 1], [5, 1]), 1, { validatorsMin: 1, validatorsMax: 4 })).toBe(four)
  })

  it('follows a new fee address at once, for it moves no power', () => {
    const current = setOf([1, 1], [2, 9])
    const roster = rosterOf([1, 1], [2, 9]).map((entry) => ({ ...entry, feeAddress: keyAddress(7) }))
    expect(next(current, roster).validators.map(({ feeAddress }) => feeAddress)).toEqual([keyAddress(7), keyAddress(7)])
  })

  it('does not take a key that another member still has', () => {
    const current = setOf([1, 1], [2, 1], [3, 1], [4, 1], [5, 1])
    expect(next(current, rosterOf([1, 1, 2], [2, 1], [3, 1], [4, 1], [5, 1]))).toBe(current)
    expect(next(current, rosterOf([1, 1], [2, 1], [3, 1], [4, 1], [5, 1], [6, 1, 2]))).toBe(current)
  })
})
