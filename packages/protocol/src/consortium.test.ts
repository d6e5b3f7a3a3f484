import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import * as governed from '../test/governed-arbitraries.ts'
import { type Address, concatBytes, ZERO_ADDRESS } from './bytes.ts'
import { decode, encode } from './codec.ts'
import {
  type Consortium,
  consortiumCodec,
  consortiumProblem,
  DEFAULT_GRANTABLE,
  ownSeat,
  ungovernedConsortium,
} from './consortium.ts'
import { LIMITS } from './limits.ts'
import type { NodeEntry } from './node-registry.ts'
import { OPEN_POLICIES } from './policies.ts'
import { hasRoles, ROLES, rolesProblem } from './roles.ts'
import { idOfName } from './short-name.ts'
import { createValidatorSet, type Validator } from './validator-set.ts'

const [A, B] = ['bank-a', 'bank-b'].map((name) => idOfName(name)!) as [Validator['id'], Validator['id']]
const [one, two] = fc
  .sample(any.realValidator, { numRuns: 20, seed: 3 })
  .reduce<Validator[]>((found, next) => (found.some(({ address }) => address === next.address) ? found : [...found, next]), [])
  .map((validator, i) => ({ ...validator, id: i === 0 ? A : B })) as [Validator, Validator]
const validators = createValidatorSet([one, two])
const nodes: readonly NodeEntry[] = [
  { peerId: 'p1', kind: 'validator', organisation: A },
  { peerId: 'p2', kind: 'validator', organisation: B },
]
const good = ungovernedConsortium([ownSeat(two, 'p2'), ownSeat(one, 'p1')])
const account = `0x${'01'.repeat(20)}` as Address

describe('a consortium', () => {
  it('round-trips, in one encoding', () => {
    fc.assert(
      fc.property(governed.consortium, (consortium) => void checkRoundTrip(consortiumCodec, consortium)),
      { numRuns: 40 },
    )
    const accounts = [{ address: account, organisation: A, roles: ROLES.sender, expiry: 5 }]
    checkStrict(consortiumCodec, encode(consortiumCodec, { ...good, accounts }))
  })

  it('without a governor has an organisation of each seat, with a vote, and is open', () => {
    expect(good).toMatchObject({ governor: ZERO_ADDRESS, accounts: [], participants: [], policies: OPEN_POLICIES })
    expect(good.organisations.map(({ id, name, votes }) => [id, name, votes])).toEqual([
      [A, 'bank-a', 1],
      [B, 'bank-b', 1],
    ])
    expect(good.seats.map(({ id }) => id)).toEqual([A, B])
    const shared = ungovernedConsortium([ownSeat(one), { ...ownSeat(two), organisation: A }])
    expect(shared.organisations.map(({ id }) => id)).toEqual([A])
    expect(consortiumProblem(good, validators, nodes)).toBeUndefined()
  })

  it('lets admins give every role but those that make others or decide', () => {
    expect(rolesProblem(DEFAULT_GRANTABLE)).toBeUndefined()
    for (const [name, bit] of Object.entries(ROLES))
      expect(hasRoles(DEFAULT_GRANTABLE, bit)).toBe(name !== 'admin' && name !== 'voter')
    expect(hasRoles(DEFAULT_GRANTABLE, 2 ** 31)).toBe(true)
  })

  it.each<[string, Partial<Consortium>, string]>([
    ['unsorted organisations', { organisations: good.organisations.toReversed() }, 'organisations must be sorted'],
    [
      'an organisation twice',
      { organisations: [good.organisations[0]!, good.organisations[0]!] },
      'organisations must be sorted',
    ],
    ['unsorted seats', { seats: good.seats.toReversed() }, 'seats must be sorted'],
    ['a participant twice', { participants: [account, account] }, 'participants must be sorted'],
    [
      'an account twice',
      { accounts: [0, 1].map(() => ({ address: account, organisation: A, roles: 1, expiry: 0 })) },
      'accounts',
    ],
    ['unsorted peer ids', { seats: [{ ...ownSeat(one), peerIds: ['b', 'a'] }] }, 'peer ids must be sorted'],
    ['too many peer ids', { seats: [{ ...ownSeat(one), peerIds: ['a', 'b', 'c', 'd', 'e'] }] }, '5 items'],
    ['an id that is no name', { seats: [{ ...ownSeat(one), organisation: `0x${'ff'.repeat(32)}` as never }] }, 'is not the id'],
    ['a voter that expires', { accounts: [{ address: account, organisation: A, roles: ROLES.voter, expiry: 1 }] }, 'expire'],
  ])('with %s is not encoded', (_what, wrong, why) => {
    expect(() => encode(consortiumCodec, { ...good, ...wrong })).toThrow(why)
  })

  it('has no suspended account or counted organisation in its bytes', () => {
    const accounts = [{ address: account, organisation: A, roles: 0, expiry: 0 }]
    const bytes = encode(consortiumCodec, { ...good, accounts })
    const tail = encode(consortiumCodec, { ...good, accounts: [], organisations: [] }).length - 8
    const suspendedAt = bytes.length - tail - 1
    expect(bytes[suspendedAt]).toBe(0)
    expect(decode(consortiumCodec, bytes.with(suspendedAt, 1))).toMatchObject({ ok: false })
    // The count of checkpoints of the last organisation, before the number of accounts.
    const countAt = suspendedAt - (20 + 32 + 4 + 8) - 4 - 1
    expect(decode(consortiumCodec, bytes.with(countAt, 1))).toMatchObject({ ok: false })
    expect(decode(consortiumCodec, concatBytes(bytes)).ok).toBe(true)
  })
})

describe('what does not fit together', () => {
  const other = idOfName('other')!
  const seats = (...changes: readonly object[]) => good.seats.map((seat, i) => ({ ...seat, ...changes[i] }))
  it.each<[string, Partial<Consortium>, string]>([
    [
      'an account',
      { accounts: [{ address: account, organisation: other, roles: 0, expiry: 0 }] },
      `account ${account}: there is no organisation other`,
    ],
    [
      'a node',
      { organisations: good.organisations.slice(0, 1), seats: good.seats.slice(0, 1) },
      'node p2: there is no organisation bank-b',
    ],
    [
      'a seat without a validator',
      { seats: [...good.seats, { id: other, organisation: A, peerIds: [] }] },
      'validator other: it has a seat, but is not among the validators',
    ],
    ['a seat of nobody', { seats: seats({ organisation: other }) }, 'validator bank-a: there is no organisation other'],
    [
      'a node of another organisation',
      { seats: seats({ peerIds: ['p2'] }) },
      'validator bank-a: its node p2 is not a node of bank-a',
    ],
    ['a node that is not there', { seats: seats({ peerIds: ['p3'] }) }, 'validator bank-a: its node p3 is not a node of bank-a'],
    [
      'a node of two validators',
      { seats: seats({ peerIds: ['p2'], organisation: B }) },
      'validator bank-b: its node p2 is a node of bank-a too',
    ],
    ['a validator without a seat', { seats: good.seats.slice(1) }, 'validator bank-a: it belongs to no organisation'],
  ])('%s', (_what, wrong, problem) => {
    expect(consortiumProblem({ ...good, ...wrong }, validators, nodes)).toBe(problem)
  })

  it('is nothing in what the generator of genesis makes', () => {
    fc.assert(
      fc.property(any.genesis, ({ consortium, validators: set, nodes: its }) => {
        expect(consortiumProblem(consortium, set, its)).toBeUndefined()
        expect(consortium.organisations.length).toBeLessThanOrEqual(LIMITS.organisationsMax)
      }),
      { numRuns: 40 },
    )
  })
})
