import { type AccountEntry, accountEntryCodec } from './account-entry.ts'
import { type Address, type Hash, ZERO_ADDRESS } from './bytes.ts'
import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'
import type { NodeEntry } from './node-registry.ts'
import { organisationCodec } from './organisation.ts'
import { OPEN_POLICIES, type Policies, policiesCodec } from './policies.ts'
import { ROLES } from './roles.ts'
import { idProblem, nameOfId } from './short-name.ts'
import type { Validator, ValidatorSet } from './validator-set.ts'

/** An organisation as genesis names it. */
export interface FoundingOrganisation {
  readonly id: Hash
  /** For people. */
  readonly name: string
  readonly votes: number
  readonly share: number
  /** Roles that its admins may give. */
  readonly grantable: number
}

/** An account's entry as genesis names it. */
export interface FoundingAccount extends Omit<AccountEntry, 'suspended'> {
  readonly address: Address
}

/** Whose a validator is, and on which machines it runs. */
export interface ValidatorSeat {
  /** The validator's id. */
  readonly id: Hash
  readonly organisation: Hash
  /** Sorted, without duplicates. */
  readonly peerIds: readonly string[]
}

/** Who founds a chain, and by which rules they govern it. */
export interface Consortium {
  /** Sorted by id, without duplicates. At least one. */
  readonly organisations: readonly FoundingOrganisation[]
  /** Sorted by address, without duplicates. */
  readonly accounts: readonly FoundingAccount[]
  /** One for each validator of genesis, sorted by id. */
  readonly seats: readonly ValidatorSeat[]
  /** The zero address: nobody governs, and nothing can ever change. */
  readonly governor: Address
  /** See `Governance`. */
  readonly participants: readonly Address[]
  readonly policies: Policies
}

/** Roles that an organisation's admins may give unless genesis says otherwise: all but those that make others or decide. */
export const DEFAULT_GRANTABLE = (~(ROLES.admin | ROLES.voter) & 0xffff_007f) >>> 0

const sortedBy = <T>(what: string, items: codec.Codec<readonly T[]>, key: (item: T) => string) =>
  codec.checked(items, (entries) =>
    entries.some((entry, i) => i > 0 && key(entries[i - 1]!) >= key(entry))
      ? `${what} must be sorted, without duplicates`
      : undefined,
  )

const id = codec.checked(codec.hash, idProblem)

/** What genesis does not say about an organisation: in its bytes it stands for nothing, and must be this. */
const UNSAID = { suspended: false, members: 0, voters: 0, checkpoints: 0 } as const

const foundingOrganisation: codec.Codec<FoundingOrganisation> = {
  bytesMax: 32 + organisationCodec.bytesMax,
  write(writer, { id: key, ...fields }) {
    id.write(writer, key)
    organisationCodec.write(writer, { ...fields, ...UNSAID })
  },
  read(reader) {
    const key = id.read(reader)
    const { name, votes, share, grantable, suspended, members, voters, checkpoints } = organisationCodec.read(reader)
    if (suspended || members > 0 || voters > 0 || checkpoints > 0)
      reader.fail('an organisation of genesis must be neither suspended nor counted')
    return { id: key, name, votes, share, grantable }
  },
}

const foundingAccount: codec.Codec<FoundingAccount> = {
  bytesMax: 20 + accountEntryCodec.bytesMax,
  write(writer, { address, ...entry }) {
    codec.address.write(writer, address)
    accountEntryCodec.write(writer, { ...entry, suspended: false })
  },
  read(reader) {
    const address = codec.address.read(reader)
    const { suspended, ...entry } = accountEntryCodec.read(reader)
    if (suspended) reader.fail('an account of genesis must not be suspended')
    return { address, ...entry }
  },
}

const seat: codec.Codec<ValidatorSeat> = codec.struct({
  id,
  organisation: id,
  peerIds: sortedBy('peer ids', codec.list(codec.ascii(LIMITS.peerIdCharsMax), LIMITS.validatorPeersMax), (peerId) => peerId),
})

/** Part of the document that genesis commits to. */
export const consortiumCodec: codec.Codec<Consortium> = codec.struct({
  organisations: sortedBy('organisations', codec.list(foundingOrganisation, LIMITS.organisationsMax), (entry) => entry.id),
  accounts: sortedBy('accounts', codec.list(foundingAccount, LIMITS.genesisAccountsMax), ({ address }) => address),
  seats: sortedBy('seats', codec.list(seat, LIMITS.validatorsMax), (entry) => entry.id),
  governor: codec.address,
  participants: sortedBy('participants', codec.list(codec.address, LIMITS.participantsMax), (address) => address),
  policies: policiesCodec,
})

/** A seat of a validator that is an organisation of its own name. */
export const ownSeat = ({ id: own }: Pick<Validator, 'id'>, ...peerIds: readonly string[]): ValidatorSeat => ({
  id: own,
  organisation: own,
  peerIds,
})

/** The consortium of a chain that nobody governs: each organisation with a seat has one vote, and all is open. */
export const ungovernedConsortium = (seats: readonly ValidatorSeat[]): Consortium => ({
  organisations: [...new Set(seats.map(({ organisation }) => organisation))]
    .sort()
    .map((own) => ({ id: own, name: nameOfId(own)!, votes: 1, share: 1, grantable: DEFAULT_GRANTABLE })),
  accounts: [],
  seats: seats.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  governor: ZERO_ADDRESS,
  participants: [],
  policies: OPEN_POLICIES,
})

/**
 * Checks that the parts of a consortium fit together, and to the validators and nodes of its genesis.
 *
 * @returns what does not fit, or undefined
 */
export function consortiumProblem(
  { organisations, accounts, seats }: Consortium,
  validators: ValidatorSet,
  nodes: readonly NodeEntry[],
): string | undefined {
  const known = new Set(organisations.map((entry) => entry.id))
  const peers = new Map(nodes.map((node) => [node.peerId, node]))
  const seen = new Map<string, Hash>()
  const named = (text: Hash): string => nameOfId(text) ?? text
  for (const { address, organisation } of accounts)
    if (!known.has(organisation)) return `account ${address}: there is no organisation ${named(organisation)}`
  for (const { peerId, organisation } of nodes)
    if (!known.has(organisation)) return `node ${peerId}: there is no organisation ${named(organisation)}`
  for (const entry of seats) {
    const who = `validator ${named(entry.id)}`
    if (validators.withId(entry.id) === undefined) return `${who}: it has a seat, but is not among the validators`
    if (!known.has(entry.organisation)) return `${who}: there is no organisation ${named(entry.organisation)}`
    for (const peerId of entry.peerIds) {
      if (peers.get(peerId)?.organisation !== entry.organisation)
        return `${who}: its node ${peerId} is not a node of ${named(entry.organisation)}`
      if (seen.has(peerId)) return `${who}: its node ${peerId} is a node of ${named(seen.get(peerId)!)} too`
      seen.set(peerId, entry.id)
    }
  }
  const missing = validators.validators.find((validator) => !seats.some((entry) => entry.id === validator.id))
  return missing === undefined ? undefined : `validator ${named(missing.id)}: it belongs to no organisation`
}
