import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkCanonical, checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import * as governed from '../test/governed-arbitraries.ts'
import { Address, numberToBytes, ZERO_ADDRESS } from './bytes.ts'
import { encode } from './codec.ts'
import { type Governance, governanceCodec } from './governor.ts'
import { LIMITS } from './limits.ts'
import { type OrganisationTotals, organisationTotalsCodec, votesCheckpointCodec } from './organisation.ts'
import { ACCESS, OPEN_POLICIES, policiesCodec } from './policies.ts'

const participants = (count: number) => Array.from({ length: count }, (_, i) => Address(numberToBytes(i + 1, 20)))
const none: Governance = { governor: ZERO_ADDRESS, offer: undefined, participants: [] }

describe('who governs', () => {
  it('round-trips, in one encoding', () => {
    fc.assert(fc.property(governed.governance, (each) => void checkRoundTrip(governanceCodec, each)))
    const offer = { to: Address(numberToBytes(9, 20)), lastHeight: 7 as never }
    checkStrict(governanceCodec, encode(governanceCodec, { ...none, offer, participants: participants(2) }))
  })

  it('names participants sorted, each once, up to a limit', () => {
    checkRoundTrip(governanceCodec, { ...none, participants: participants(LIMITS.participantsMax) })
    expect(() => encode(governanceCodec, { ...none, participants: participants(LIMITS.participantsMax + 1) })).toThrow('65 items')
    expect(() => encode(governanceCodec, { ...none, participants: participants(2).toReversed() })).toThrow('sorted by address')
    const [first] = participants(1) as [Address]
    expect(() => encode(governanceCodec, { ...none, participants: [first, first] })).toThrow('without duplicates')
  })
})

describe('policies', () => {
  it('are one byte each, open by default', () => {
    fc.assert(fc.property(governed.policies, (each) => void checkRoundTrip(policiesCodec, each)))
    expect(encode(policiesCodec, OPEN_POLICIES)).toEqual(new Uint8Array(3))
    expect(encode(policiesCodec, { sending: 'members', deploying: 'open', reading: 'members' })).toEqual(Uint8Array.of(1, 0, 1))
    expect(checkCanonical(policiesCodec, Uint8Array.of(2, 0, 0))).toBe(false)
    expect(ACCESS).toEqual(['open', 'members'])
  })
})

describe('sums over organisations', () => {
  it('round-trip, up to the limit of organisations', () => {
    fc.assert(fc.property(governed.totals, (each) => void checkRoundTrip(organisationTotalsCodec, each)))
    fc.assert(fc.property(governed.votesCheckpoint, (each) => void checkRoundTrip(votesCheckpointCodec, each)))
    const totals: OrganisationTotals = { organisations: LIMITS.organisationsMax + 1, votes: 0, checkpoints: 0 }
    expect(() => encode(organisationTotalsCodec, totals)).toThrow(RangeError)
    checkStrict(organisationTotalsCodec, encode(organisationTotalsCodec, { ...totals, organisations: 3 }))
  })
})
