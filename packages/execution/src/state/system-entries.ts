import {
  type AccountEntry,
  type Address,
  accountEntryCodec,
  codec,
  concatBytes,
  type Hash,
  type Height,
  hexToBytes,
  nodeDetailsCodec,
  numberToBytes,
  type Organisation,
  organisationCodec,
  type PublicKey,
  publicKeyCodec,
  type Round,
  SIGNED_ONCE,
  type SignedOnce,
  utf8ToBytes,
  type VotesCheckpoint,
  votesCheckpointCodec,
} from '@quoin/protocol'
import type { Journal } from './journal.ts'
import type { KvReader } from './kv.ts'
import { SYSTEM_ADDRESS, systemFlatKey } from './system-records.ts'

/** When an address was the key of a validator, and of which. Such a key is never taken again. */
export interface ValidatorKeyUse {
  readonly id: Hash
  readonly publicKey: PublicKey
  /** The block that put another key in its place; undefined while it is the validator's. */
  readonly until: Height | undefined
  /**
   * The first and the last height at which it votes; the last is undefined while it is in the set that comes last. Not the same as when it
   * was the validator's: a set follows the roster two heights later at the earliest. Undefined while it never was in a set.
   */
  readonly votes: { readonly from: Height; readonly to: Height | undefined } | undefined
}

/** Evidence that the chain contract has taken. */
export interface TakenEvidence {
  /** keccak256 of the evidence. */
  readonly hash: Hash
  /** The block that took it, and who sent it. */
  readonly takenAt: Height
  readonly reporter: Address
}

/** The first evidence against a validator. */
export interface FirstEvidence extends TakenEvidence {
  readonly height: Height
  readonly round: Round
  readonly kind: SignedOnce
}

/** A contract's or account's entry that an organisation's admin has made, until the address accepts it. */
export type OfferedEntry = AccountEntry

/** A code that the governor allows for a contract whose upgrade authority is the chain contract. */
export interface CodeApproval {
  /** Of the container. */
  readonly codeHash: Hash
  /** Of the data for `migrate`. */
  readonly dataHash: Hash
  /** The last block in which it may be applied. */
  readonly lastHeight: Height
}

/**
 * A kind of entry of the chain contract: many values under one first byte, which no record's name begins with. Only the chain
 * contract writes them. Bytes that do not decode count as no entry.
 */
export interface EntryKind<K extends readonly unknown[], T> {
  readonly codec: codec.Codec<T>
  /** First byte of the raw storage keys of this kind. */
  readonly first: number
  /** Raw storage key at `SYSTEM_ADDRESS`. */
  readonly key: (...parts: K) => Uint8Array
}

const kindOf = <K extends readonly unknown[], T>(
  first: number,
  value: codec.Codec<T>,
  parts: (...given: K) => Uint8Array,
): EntryKind<K, T> => ({ codec: value, first, key: (...given) => concatBytes(Uint8Array.of(first), parts(...given)) })

const validatorKeyUse: codec.Codec<ValidatorKeyUse> = codec.struct({
  id: codec.hash,
  publicKey: publicKeyCodec,
  until: codec.optional(codec.u64<Height>()),
  votes: codec.optional(codec.struct({ from: codec.u64<Height>(), to: codec.optional(codec.u64<Height>()) })),
})

const takenFields = { hash: codec.hash, takenAt: codec.u64<Height>(), reporter: codec.address } as const
const takenEvidence: codec.Codec<TakenEvidence> = codec.struct(takenFields)
const place = codec.struct({ height: codec.u64<Height>(), round: codec.u32<Round>(), ...takenFields })
const firstEvidence: codec.Codec<FirstEvidence> = codec.union({ proposal: place, prevote: place, precommit: place })

const codeApproval: codec.Codec<CodeApproval> = codec.struct({
  codeHash: codec.hash,
  dataHash: codec.hash,
  lastHeight: codec.u64<Height>(),
})

const bytesOf = (hex: Hash | Address): Uint8Array => hexToBytes(hex)

/** The entries of the chain contract. `checkpoint` counts from 0; those of all organisations together are under the zero id. */
export const SYSTEM_ENTRIES = {
  account: kindOf(1, accountEntryCodec, (address: Address) => bytesOf(address)),
  organisation: kindOf(2, organisationCodec, (id: Hash) => bytesOf(id)),
  node: kindOf(3, nodeDetailsCodec, (peerId: string) => utf8ToBytes(peerId)),
  validatorKey: kindOf(4, validatorKeyUse, (address: Address) => bytesOf(address)),
  checkpoint: kindOf(5, votesCheckpointCodec as codec.Codec<VotesCheckpoint>, (id: Hash, index: number) =>
    concatBytes(bytesOf(id), numberToBytes(index, 4)),
  ),
  offer: kindOf(6, accountEntryCodec as codec.Codec<OfferedEntry>, (address: Address, organisation: Hash) =>
    concatBytes(bytesOf(address), bytesOf(organisation)),
  ),
  roleName: kindOf(7, codec.ascii(31), (bit: number) => Uint8Array.of(bit)),
  evidence: kindOf(8, takenEvidence, (id: Hash, height: Height, round: Round, kind: SignedOnce) =>
    concatBytes(bytesOf(id), numberToBytes(height, 8), numberToBytes(round, 4), Uint8Array.of(SIGNED_ONCE.indexOf(kind))),
  ),
  firstEvidence: kindOf(9, firstEvidence, (id: Hash) => bytesOf(id)),
  approval: kindOf(10, codeApproval, (target: Address) => bytesOf(target)),
} as const

const decodeEntry = <T>(type: codec.Codec<T>, bytes: Uint8Array | undefined): T | undefined => {
  if (bytes === undefined) return undefined
  const read = codec.decode(type, bytes)
  return read.ok ? read.value : undefined
}

/** Reads an entry of the committed state. */
export const readEntry = <K extends readonly unknown[], T>(reader: KvReader, kind: EntryKind<K, T>, ...parts: K): T | undefined =>
  decodeEntry(kind.codec, reader.get(systemFlatKey(kind.key(...parts))))

/** Decoded entries by their bytes, because a journal returns the same bytes again and again. */
const decoded = new WeakMap<Uint8Array, unknown>()

/** Reads an entry as the messages of the block so far have left it. */
export function entryIn<K extends readonly unknown[], T>(journal: Journal, kind: EntryKind<K, T>, ...parts: K): T | undefined {
  const bytes = journal.storage(SYSTEM_ADDRESS, kind.key(...parts))
  const known = bytes && (decoded.get(bytes) as T | undefined)
  if (known !== undefined) return known
  const entry = decodeEntry(kind.codec, bytes)
  if (bytes !== undefined && entry !== undefined) decoded.set(bytes, entry)
  return entry
}

/**
 * Writes an entry; undefined removes it.
 *
 * @throws RangeError for a value that its codec refuses: callers check it before
 */
export function writeEntry<K extends readonly unknown[], T>(
  journal: Journal,
  kind: EntryKind<K, T>,
  value: T | undefined,
  ...parts: K
): void {
  journal.setStorage(SYSTEM_ADDRESS, kind.key(...parts), value === undefined ? undefined : codec.encode(kind.codec, value))
}

const MEMBERSHIP_PREFIXES = [1, 2].map((kind) => systemFlatKey(Uint8Array.of(kind)))

/** Whether a database key is that of an account's entry or of an organisation. */
export const isMembershipKey = (flatKey: Uint8Array): boolean =>
  MEMBERSHIP_PREFIXES.some((prefix) => prefix.every((byte, i) => flatKey[i] === byte))

/** An account's entry and its organisation. */
export interface Membership {
  readonly entry: AccountEntry | undefined
  readonly organisation: Organisation | undefined
}

/** The membership of an account in the committed state. */
export function readMembership(reader: KvReader, address: Address): Membership {
  const entry = readEntry(reader, SYSTEM_ENTRIES.account, address)
  return { entry, organisation: entry && readEntry(reader, SYSTEM_ENTRIES.organisation, entry.organisation) }
}

/** The membership of an account as the messages of the block so far have left it. */
export function membershipIn(journal: Journal, address: Address): Membership {
  const entry = entryIn(journal, SYSTEM_ENTRIES.account, address)
  return { entry, organisation: entry && entryIn(journal, SYSTEM_ENTRIES.organisation, entry.organisation) }
}
