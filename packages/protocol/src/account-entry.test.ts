import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkCanonical, checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { type AccountEntry, accountEntryCodec, standing } from './account-entry.ts'
import { encode } from './codec.ts'
import { LIMITS } from './limits.ts'
import { type Organisation, organisationCodec } from './organisation.ts'
import { hasRoles, ROLES, rolesProblem } from './roles.ts'
import { idOfName } from './short-name.ts'

const entry: AccountEntry = { organisation: idOfName('bank-a')!, roles: ROLES.sender, expiry: 0, suspended: false }
const organisation: Organisation = {
  name: 'Bank A',
  suspended: false,
  votes: 1,
  share: 1,
  grantable: 0,
  members: 0,
  voters: 0,
  checkpoints: 0,
}

describe('an entry of an account', () => {
  it('round-trips, in one encoding', () => {
    const entries = fc
      .record({ organisation: any.id, roles: any.roles, expiry: fc.nat(), suspended: fc.boolean() })
      .map((fields) => (hasRoles(fields.roles, ROLES.voter) ? { ...fields, expiry: 0 } : fields))
    fc.assert(fc.property(entries, (each) => void checkRoundTrip(accountEntryCodec, each)))
    checkStrict(accountEntryCodec, encode(accountEntryCodec, entry))
  })

  it('has no role without a meaning, and does not expire for a voter', () => {
    for (let bit = 7; bit < 16; bit++) {
      expect(rolesProblem(2 ** bit)).toContain('bits 7 to 15 are reserved')
      expect(() => encode(accountEntryCodec, { ...entry, roles: 2 ** bit })).toThrow(RangeError)
    }
    expect(rolesProblem(2 ** 31 + 2 ** 16 + 127)).toBeUndefined()
    expect(() => encode(accountEntryCodec, { ...entry, roles: ROLES.voter, expiry: 1 })).toThrow('must not expire')
  })

  it.each([
    ['no entry', undefined, organisation, 0, 'none'],
    ['no organisation', entry, undefined, 0, 'none'],
    ['neither limit', entry, organisation, 0, 'active'],
    ['a suspension', { ...entry, suspended: true, expiry: 1 }, organisation, 1_000, 'suspended'],
    ['a suspended organisation', { ...entry, expiry: 1 }, { ...organisation, suspended: true }, 1_000, 'organisation-suspended'],
    ['the last millisecond', { ...entry, expiry: 7 }, organisation, 6_999, 'active'],
    ['the end of its time', { ...entry, expiry: 7 }, organisation, 7_000, 'expired'],
  ] as const)('with %s', (_what, own, its, timeMs, result) => {
    expect(standing(own, its, timeMs)).toBe(result)
  })
})

describe('an organisation', () => {
  it('round-trips, in one encoding', () => {
    const organisations = fc.record({
      name: fc.constantFrom('a', 'Børsen', '😀'.repeat(16)),
      suspended: fc.boolean(),
      votes: fc.nat(LIMITS.votesMax),
      share: fc.integer({ min: 1, max: LIMITS.shareMax }),
      grantable: any.roles,
      members: fc.nat(),
      voters: fc.nat(),
      checkpoints: fc.nat(),
    })
    fc.assert(fc.property(organisations, (each) => void checkRoundTrip(organisationCodec, each)))
    const bytes = encode(organisationCodec, organisation)
    checkStrict(organisationCodec, bytes)
    expect(checkCanonical(organisationCodec, bytes.with(2, 0xff))).toBe(false)
  })

  it('has a name of well-formed text, votes and a share within limits', () => {
    for (const wrong of [
      { name: '' },
      { name: '\ud800' },
      { name: 'é'.repeat(33) },
      { votes: LIMITS.votesMax + 1 },
      { share: 0 },
    ])
      expect(() => encode(organisationCodec, { ...organisation, ...wrong })).toThrow(RangeError)
  })
})
