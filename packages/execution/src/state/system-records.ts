import {
  Address,
  type ChainParameters,
  codec,
  err,
  type Genesis,
  hexToBytes,
  nodeRegistryCodec,
  ok,
  parametersCodec,
  type RegisteredNode,
  type Result,
  storageKey,
  utf8ToBytes,
  type ValidatorSet,
  validatorSetCodec,
} from '@quoin/protocol'
import type { Journal } from './journal.ts'
import { flatKey } from './keys.ts'
import type { KvReader } from './kv.ts'

/** Address of the system records: "Quoin" in ASCII. Nobody has a key for it, and no transaction writes there. */
export const SYSTEM_ADDRESS = Address('0x00000000000000000000000000000051756f696e')

/** Who may send transactions. `open`: every account. */
export const SEND_POLICIES = ['open'] as const
export type SendPolicy = (typeof SEND_POLICIES)[number]

const sendPolicyCodec: codec.Codec<SendPolicy> = {
  bytesMax: 1,
  write: (writer, policy) => writer.u8(SEND_POLICIES.indexOf(policy)),
  read(reader) {
    const index = reader.u8()
    return SEND_POLICIES[index] ?? reader.fail(`unknown send policy ${index}`)
  },
}

/**
 * A record that configures the chain, stored at `SYSTEM_ADDRESS` under its name: layout version (1 byte), then the value. A copy
 * of the last readable value is stored under `name:good`; only execution writes it, at the end of a block. So every node,
 * restarted or not, falls back to the same value when a record is malformed.
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

/** The system records: chain parameters, validator set, registered nodes, send policy. */
export const SYSTEM_RECORDS = {
  parameters: systemRecord<ChainParameters>('parameters', parametersCodec),
  validators: systemRecord<ValidatorSet>('validators', validatorSetCodec),
  nodes: systemRecord<readonly RegisteredNode[]>('nodes', nodeRegistryCodec),
  senders: systemRecord<SendPolicy>('senders', sendPolicyCodec),
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

const slotKey = (rawKey: Uint8Array): Uint8Array => flatKey(hexToBytes(storageKey(SYSTEM_ADDRESS, rawKey)))

const read = <T>(reader: KvReader, record: SystemRecord<T>): Reading<T> =>
  readingOf(record, reader.get(slotKey(record.key)), reader.get(slotKey(record.goodKey)))

/**
 * Readers of the committed state. They return a value whatever the records contain, and throw only for a database without
 * genesis.
 */
export const readParameters = (reader: KvReader): Reading<ChainParameters> => read(reader, SYSTEM_RECORDS.parameters)
/** The validator set that votes two heights above the state. */
export const readValidatorSet = (reader: KvReader): Reading<ValidatorSet> => read(reader, SYSTEM_RECORDS.validators)
export const readNodes = (reader: KvReader): Reading<readonly RegisteredNode[]> => read(reader, SYSTEM_RECORDS.nodes)
export const readSendPolicy = (reader: KvReader): Reading<SendPolicy> => read(reader, SYSTEM_RECORDS.senders)

/** Whether an account may send transactions in the block on top of the state from which the policy was read. */
export function maySend(policy: SendPolicy, _sender: Address): boolean {
  switch (policy) {
    case 'open':
      return true
  }
}

/** Writes a record's value. `settleSystemRecords` confirms it at the end of the block. */
export function writeRecord<T>(journal: Journal, record: SystemRecord<T>, value: T): void {
  journal.setStorage(SYSTEM_ADDRESS, record.key, codec.encode(record.codec, { layout: LAYOUT, value }))
}

/** Writes the records of genesis. */
export function writeGenesisRecords(journal: Journal, { parameters, validators, nodes }: Genesis): void {
  writeRecord(journal, SYSTEM_RECORDS.parameters, parameters)
  writeRecord(journal, SYSTEM_RECORDS.validators, validators)
  writeRecord(journal, SYSTEM_RECORDS.nodes, nodes)
  writeRecord(journal, SYSTEM_RECORDS.senders, 'open')
}

/** Call at the end of a block: copies each valid record to its good copy. Returns what is wrong with the others. */
export function settleSystemRecords(journal: Journal): readonly string[] {
  const problems: string[] = []
  for (const record of Object.values(SYSTEM_RECORDS) as readonly SystemRecord<unknown>[]) {
    const present = journal.storage(SYSTEM_ADDRESS, record.key)
    const parsed = parseRecord(record, present)
    if (parsed.ok) journal.setStorage(SYSTEM_ADDRESS, record.goodKey, present)
    else problems.push(parsed.error)
  }
  return problems
}
