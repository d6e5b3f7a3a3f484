import { type Address, codec, type Hash } from '@quoin/protocol'
import type { KvReader } from './kv.ts'
import { type EntryKind, type FirstEvidence, readEntry, SYSTEM_ENTRIES } from './system-entries.ts'
import { parseRecord, SYSTEM_ADDRESS, SYSTEM_RECORDS } from './system-records.ts'

/** What a state says about a key that has signed two messages. */
export interface EvidenceStanding {
  /** The validator whose key it is or was; undefined if it never was one's. */
  readonly id: Hash | undefined
  /** The first evidence that the chain has taken against the validator: more changes nothing. */
  readonly taken: FirstEvidence | undefined
}

/** The standing of a key in the committed state. */
export function evidenceStanding(reader: KvReader, validator: Address): EvidenceStanding {
  const id = readEntry(reader, SYSTEM_ENTRIES.validatorKey, validator)?.id
  return { id, taken: id && readEntry(reader, SYSTEM_ENTRIES.firstEvidence, id) }
}

/** The storage of a state that is read bit by bit, such as a past one. */
export interface StorageView {
  storage(address: Address, rawKey: Uint8Array): Promise<Uint8Array | undefined>
}

/** As `evidenceStanding`. */
export async function evidenceOfKey(state: StorageView, validator: Address): Promise<EvidenceStanding> {
  const use = await entryOf(state, SYSTEM_ENTRIES.validatorKey, validator)
  return { id: use?.id, taken: use && (await entryOf(state, SYSTEM_ENTRIES.firstEvidence, use.id)) }
}

/** A validator that equivocated, with the first evidence of it. */
export interface FlaggedValidator {
  readonly id: Hash
  readonly first: FirstEvidence
}

/** The validators of the roster that have equivocated, sorted by id. */
export async function flaggedValidators(state: StorageView): Promise<readonly FlaggedValidator[]> {
  const roster = parseRecord(SYSTEM_RECORDS.roster, await state.storage(SYSTEM_ADDRESS, SYSTEM_RECORDS.roster.key))
  const flagged = roster.ok ? roster.value.filter(({ equivocated }) => equivocated) : []
  const found = await Promise.all(
    flagged.map(async ({ id }) => ({ id, first: await entryOf(state, SYSTEM_ENTRIES.firstEvidence, id) })),
  )
  return found.filter((one): one is FlaggedValidator => one.first !== undefined)
}

async function entryOf<K extends readonly unknown[], T>(
  state: StorageView,
  kind: EntryKind<K, T>,
  ...parts: K
): Promise<T | undefined> {
  const bytes = await state.storage(SYSTEM_ADDRESS, kind.key(...parts))
  const decoded = bytes && codec.decode(kind.codec, bytes)
  return decoded?.ok === true ? decoded.value : undefined
}
