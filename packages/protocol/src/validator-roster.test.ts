import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import * as governed from '../test/governed-arbitraries.ts'
import { encode } from './codec.ts'
import { LIMITS } from './limits.ts'
import { POWER_MAX } from './numbers.ts'
import { idOfName } from './short-name.ts'
import { type RosterEntry, rosterCodec, rosterEntryCodec } from './validator-roster.ts'

const [sample] = fc.sample(governed.rosterEntry, { numRuns: 1, seed: 5 }) as [RosterEntry]
const entry: RosterEntry = { ...sample, peerIds: ['p', 'q'] }
const numbered = (n: number): RosterEntry => ({
  ...entry,
  id: idOfName(`v-${String(n).padStart(4, '0')}`)!,
  address: `0x${n.toString(16).padStart(40, '0')}` as RosterEntry['address'],
})

describe('the roster', () => {
  it('round-trips, in one encoding', () => {
    fc.assert(fc.property(governed.rosterEntry, (each) => void checkRoundTrip(rosterEntryCodec, each)))
    fc.assert(fc.property(governed.roster, (each) => void checkRoundTrip(rosterCodec, each)))
    checkStrict(rosterCodec, encode(rosterCodec, [numbered(1), numbered(2)]))
  })

  it('holds as many validators as a set', () => {
    const all = Array.from({ length: LIMITS.validatorsMax + 1 }, (_, i) => numbered(i))
    checkRoundTrip(rosterCodec, all.slice(1))
    expect(() => encode(rosterCodec, all)).toThrow(`${LIMITS.validatorsMax + 1} items`)
  })

  it.each<[string, Partial<RosterEntry>, string]>([
    ['an id that is no name', { id: `0x${'ff'.repeat(32)}` as never }, 'is not the id'],
    ['an organisation that is no name', { organisation: `0x${'ff'.repeat(32)}` as never }, 'is not the id'],
    ['unsorted peer ids', { peerIds: ['q', 'p'] }, 'peer ids must be sorted'],
    ['a peer id twice', { peerIds: ['p', 'p'] }, 'peer ids must be sorted'],
    ['too many peer ids', { peerIds: ['a', 'b', 'c', 'd', 'e'] }, '5 items'],
    ['too much power', { power: (POWER_MAX + 1) as never }, 'RangeError'],
  ])('has no entry with %s', (_what, wrong, why) => {
    const attempt = () => encode(rosterEntryCodec, { ...entry, ...wrong })
    if (why === 'RangeError') expect(attempt).toThrow(RangeError)
    else expect(attempt).toThrow(why)
  })

  it('is sorted by id, and has each id and key once', () => {
    expect(() => encode(rosterCodec, [numbered(2), numbered(1)])).toThrow('sorted by id')
    expect(() => encode(rosterCodec, [numbered(1), numbered(1)])).toThrow('sorted by id')
    expect(() => encode(rosterCodec, [numbered(1), { ...numbered(2), address: numbered(1).address }])).toThrow('the same key')
  })

  it('says with 0 that a validator is to leave', () => {
    expect(() => encode(rosterEntryCodec, { ...entry, power: 0 as never })).not.toThrow()
    fc.assert(fc.property(any.power, (power) => void checkRoundTrip(rosterEntryCodec, { ...entry, power })))
  })
})
