import fc from 'fast-check'
import type { AccountEntry } from '../src/account-entry.ts'
import type { Governance } from '../src/governor.ts'
import { LIMITS } from '../src/limits.ts'
import type { NodeEntry, RegisteredNode } from '../src/node-registry.ts'
import { type Height, POWER_MAX, type Power, U32_MAX } from '../src/numbers.ts'
import type { Organisation, OrganisationTotals, VotesCheckpoint } from '../src/organisation.ts'
import { ACCESS, type Policies } from '../src/policies.ts'
import { hasRoles, ROLES } from '../src/roles.ts'
import type { RosterEntry } from '../src/validator-roster.ts'
import * as any from './arbitraries.ts'

/** Generators of what the chain contract holds. */

const count = fc.oneof(fc.constantFrom(0, 1, U32_MAX), fc.nat())
const votes = fc.oneof(fc.constantFrom(0, 1, LIMITS.votesMax), fc.nat(LIMITS.votesMax))

/** Text that people read, of at most 64 bytes. */
const name = fc.oneof(
  fc.constantFrom('a', 'Børsen', '😀'.repeat(16)),
  fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme-ascii' }),
)

export const accountEntry: fc.Arbitrary<AccountEntry> = fc
  .record({ organisation: any.id, roles: any.roles, expiry: any.height, suspended: fc.boolean() })
  .map((entry) => (hasRoles(entry.roles, ROLES.voter) ? { ...entry, expiry: 0 } : entry))

export const organisation: fc.Arbitrary<Organisation> = fc.record({
  name,
  suspended: fc.boolean(),
  votes,
  share: votes.map((share) => Math.max(1, share)),
  grantable: any.roles,
  members: count,
  voters: count,
  checkpoints: count,
})

export const votesCheckpoint: fc.Arbitrary<VotesCheckpoint> = fc.record({ height: any.height, votes: any.height })

export const totals: fc.Arbitrary<OrganisationTotals> = fc.record({
  organisations: fc.oneof(fc.constantFrom(0, LIMITS.organisationsMax), fc.nat(LIMITS.organisationsMax)),
  votes: any.height,
  checkpoints: count,
})

const access = fc.constantFrom(...ACCESS)
export const policies: fc.Arbitrary<Policies> = fc.record({ sending: access, deploying: access, reading: access })

const sortedTexts = <T extends string>(items: fc.Arbitrary<T>, maxLength: number) =>
  fc.uniqueArray(items, { maxLength }).map((texts) => texts.toSorted((a, b) => (a < b ? -1 : 1)))

export const governance: fc.Arbitrary<Governance> = fc.record({
  governor: any.address,
  offer: fc.option(fc.record({ to: any.address, lastHeight: any.height }), { nil: undefined }),
  participants: sortedTexts(any.address, 4),
})

export const rosterEntry: fc.Arbitrary<RosterEntry> = fc.record({
  id: any.id,
  organisation: any.id,
  publicKey: any.publicKey,
  address: any.address,
  power: fc.oneof(fc.constantFrom(0, 1, POWER_MAX), fc.nat(1_000)).map((power) => power as Power),
  feeAddress: any.address,
  peerIds: sortedTexts(any.ascii(LIMITS.peerIdCharsMax), LIMITS.validatorPeersMax),
  readyAt: any.height,
  changedAt: any.height,
  rotatedAt: any.height,
  equivocated: fc.boolean(),
} satisfies { readonly [K in keyof RosterEntry]: fc.Arbitrary<RosterEntry[K]> })

export const roster: fc.Arbitrary<readonly RosterEntry[]> = fc
  .uniqueArray(rosterEntry, { comparator: (a, b) => a.id === b.id || a.address === b.address, maxLength: 4 })
  .map((entries) => entries.toSorted((a, b) => (a.id < b.id ? -1 : 1)))

export const nodeDetails: fc.Arbitrary<Omit<RegisteredNode, 'peerId'>> = any.nodeRegistry
  .filter((nodes) => nodes.length > 0)
  .map(([node]) => ({ kind: node!.kind, organisation: node!.organisation, addresses: node!.addresses }))

export const nodeEntries: fc.Arbitrary<readonly NodeEntry[]> = any.nodeRegistry.map((nodes) =>
  nodes.map(({ peerId, kind, organisation: its }) => ({ peerId, kind, organisation: its })),
)

export const consortium = any.genesis.map((genesis) => genesis.consortium)

export const validatorKeyUse = fc.record({
  id: any.hash,
  until: fc.option(any.height as fc.Arbitrary<Height>, { nil: undefined }),
})
