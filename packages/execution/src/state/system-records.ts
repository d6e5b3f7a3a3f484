import {
  Address,
  type ChainParameters,
  codec,
  err,
  type Governance,
  governanceCodec,
  hexToBytes,
  type NodeEntry,
  nodeEntriesCodec,
  type OrganisationTotals,
  ok,
  organisationTotalsCodec,
  type Policies,
  parametersCodec,
  policiesCodec,
  type Result,
  type RosterEntry,
  rosterCodec,
  type Schedule,
  type SigningDomain,
  scheduleCodec,
  signingDomainCodec,
  storageKey,
  utf8ToBytes,
  type ValidatorSet,
  validatorSetCodec,
} from '@quoin/protocol'
import type { Journal } from './journal.ts'
import { flatKey } from './keys.ts'
import type { KvReader } from './kv.ts'

/** Address of the chain contract and its records: "Quoin" in ASCII. Nobody has a key for it. */
export const SYSTEM_ADDRESS = Address('0x00000000000000000000000000000051756f696e')

/**
 * A record that configures the chain, stored at `SYSTEM_ADDRESS` under its name: layout version (1 byte), then the value. A copy
 * of the last readable value is stored under `name:good`; only execution writes it, at the end of a block. So every node,
 * restarted or not, falls back to the same value when a record is malformed. The chain contract writes no malformed record; this
 * holds even if it had a fault.
 */
export interface SystemRecord<T> {
  readonly name: string
  readonly codec: codec.Codec<{ readonly layout: number; readonly value: T }>
  /** Raw storage keys at `SYSTEM_ADDRESS`. */
  readonly key: Uint8Array
  readonly goodKey: Uint8Array
}

const LAYOUT = 1

function systemRecord<T>(name: string, value: codec.Codec<T>): SystemRecord<T> {
  const layout = codec.checked(codec.u8(), (found) => (found === LAYOUT ? undefined : `unknown layout ${found}`))
  return {
    name,
    codec: codec.struct({ layout, value }),
    key: utf8ToBytes(name),
    goodKey: utf8ToBytes(`${name}:good`),
  }
}

/** The validator sets of the two heights above a state. */
export interface UpcomingSets {
  /** Votes on the next block. */
  readonly next: ValidatorSet
  /** Votes on the block after that. */
  readonly afterNext: ValidatorSet
}

/**
 * The system records. `roster` are the validators as governance wants them, `sets` those of the next two heights, which execution
 * itself writes. `nodes` lists the registered nodes; their addresses are entries (`system-entries.ts`).
 */
export const SYSTEM_RECORDS = {
  parameters: systemRecord<ChainParameters>('parameters', parametersCodec),
  roster: systemRecord<readonly RosterEntry[]>('roster', rosterCodec),
  sets: systemRecord<UpcomingSets>('sets', codec.struct({ next: validatorSetCodec, afterNext: validatorSetCodec })),
  nodes: systemRecord<readonly NodeEntry[]>('nodes', nodeEntriesCodec),
  policies: systemRecord<Policies>('policies', policiesCodec),
  governance: systemRecord<Governance>('governance', governanceCodec),
  totals: systemRecord<OrganisationTotals>('totals', organisationTotalsCodec),
  schedule: systemRecord<Schedule>('schedule', scheduleCodec),
  /** Written by the first block, because the hash of genesis commits to the state of genesis. */
  domain: systemRecord<SigningDomain>('domain', signingDomainCodec),
} as const

/** A record's value. If the current record is malformed, the value is the last good one, and `problem` says why. */
export interface Reading<T> {
  readonly value: T
  /** Names the record and the byte; undefined when the record is valid. */
  readonly problem: string | undefined
}

/** Decodes a record, or returns what is wrong with it. */
export function parseRecord<T>(record: SystemRecord<T>, bytes: Uint8Array | undefined): Result<T, string> {
  if (bytes === undefined) return err(`${record.name}: the record is missing`)
  const decoded = codec.decode(record.codec, bytes)
  return decoded.ok ? ok(decoded.value.value) : err(`${record.name}: ${decoded.error.message}`)
}

/**
 * Chooses the value from both copies of a record; for reads of past state.
 *
 * @throws Error when the good copy is damaged, which no block can cause
 */
export function readingOf<T>(record: SystemRecord<T>, present: Uint8Array | undefined, good: Uint8Array | undefined): Reading<T> {
  const current = parseRecord(record, present)
  if (current.ok) return { value: current.value, problem: undefined }
  const last = parseRecord(record, good)
  if (!last.ok) throw new Error(`no genesis in this database, or it is damaged: ${last.error}`)
  return { value: last.value, problem: current.error }
}

/** Database key of a storage entry of the chain contract. */
export const systemFlatKey = (rawKey: Uint8Array): Uint8Array => flatKey(hexToBytes(storageKey(SYSTEM_ADDRESS, rawKey)))

/**
 * Reads a record of the committed state. Returns a value whatever the record contains, and throws only for a database without
 * genesis.
 */
export const readSystemRecord = <T>(reader: KvReader, record: SystemRecord<T>): Reading<T> =>
  readingOf(record, reader.get(systemFlatKey(record.key)), reader.get(systemFlatKey(record.goodKey)))

export const readParameters = (reader: KvReader): Reading<ChainParameters> => readSystemRecord(reader, SYSTEM_RECORDS.parameters)

/** Decoded records by their bytes, because a journal returns the same bytes again and again. */
const decoded = new WeakMap<Uint8Array, unknown>()

/** A record in a journal: the value that the messages of the block so far have left, or the last good one. */
export function recordIn<T>(journal: Journal, record: SystemRecord<T>): T {
  const present = journal.storage(SYSTEM_ADDRESS, record.key)
  const known = present && (decoded.get(present) as T | undefined)
  if (known !== undefined) return known
  const parsed = parseRecord(record, present)
  if (!parsed.ok) return readingOf(record, present, journal.storage(SYSTEM_ADDRESS, record.goodKey)).value
  decoded.set(present!, parsed.value)
  return parsed.value
}

/** As `recordIn`, for a state that may have no genesis: undefined then. */
export const recordOrNone = <T>(journal: Journal, record: SystemRecord<T>): T | undefined =>
  journal.storage(SYSTEM_ADDRESS, record.key) === undefined ? undefined : recordIn(journal, record)

/** Writes a record's value. `settleSystemRecords` confirms it at the end of the block. */
export function writeSystemRecord<T>(journal: Journal, record: SystemRecord<T>, value: T): void {
  journal.setStorage(SYSTEM_ADDRESS, record.key, encodeSystemRecord(record, value))
}

/** The bytes of a record, for those who must know their length before they write them. */
export const encodeSystemRecord = <T>(record: SystemRecord<T>, value: T): Uint8Array =>
  codec.encode(record.codec, { layout: LAYOUT, value })

/** Call at the end of a block: copies each valid record that the block has written to its good copy. Returns what is wrong with the others. */
export function settleSystemRecords(journal: Journal): readonly string[] {
  const problems: string[] = []
  for (const record of Object.values(SYSTEM_RECORDS) as readonly SystemRecord<unknown>[]) {
    if (!journal.hasChanged(SYSTEM_ADDRESS, record.key)) continue
    const present = journal.storage(SYSTEM_ADDRESS, record.key)
    const parsed = parseRecord(record, present)
    if (parsed.ok) journal.setStorage(SYSTEM_ADDRESS, record.goodKey, present)
    else problems.push(parsed.error)
  }
  return problems
}
