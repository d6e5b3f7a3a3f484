import { type Address, codec, type Hash, type Height, type Hex, numberToBytes, unwrap } from '@quoin/protocol'
import type { Journal, KeyUse } from '../state/journal.ts'
import { contractKey } from '../state/keys.ts'
import type { Ticks } from '../ticks.ts'
import { TextCache } from './cache.ts'
import { CONTRACT_CACHE_LIMITS } from './limits.ts'

/** What the state holds of a contract besides its code. */
export interface ContractRecord {
  /** Number of codes that the contract has had, its present one included. */
  readonly version: number
  /** Who may replace the code, pause and hand over; undefined when nobody may, ever. */
  readonly authority: Address | undefined
  /** While set, nobody but static calls enters. */
  readonly paused: boolean
  /** Execution version under which the present code was accepted. */
  readonly executionVersion: Hash
  /** What the code's first use in a block costs. */
  readonly loadGas: Ticks
  /** Length of the code: what reads it pays first. */
  readonly codeBytes: number
}

/** One of a contract's codes. */
export interface CodeVersion {
  readonly codeHash: Hash
  /** Block in which it became the code. */
  readonly height: Height
  readonly codeBytes: number
}

export const recordCodec: codec.Codec<ContractRecord> = codec.struct({
  version: codec.u32(),
  authority: codec.optional(codec.address),
  paused: codec.bool,
  executionVersion: codec.hash,
  loadGas: codec.u64(),
  codeBytes: codec.u32(),
})

export const versionCodec: codec.Codec<CodeVersion> = codec.struct({
  codeHash: codec.hash,
  height: codec.u64<Height>(),
  codeBytes: codec.u32(),
})

/** Parts of a record: the record itself, a version's description, a former version's code. */
const PART = { record: 0, version: 1, code: 2 } as const

/** A message asks for its receiver's record several times. */
const recordKeys = new TextCache<Hex>(CONTRACT_CACHE_LIMITS.recordKeysMax)
const makeRecordKey = (address: string): Hex => contractKey(address as Address, Uint8Array.of(PART.record))
const recordKey = (address: Address): Hex => recordKeys.get(address, makeRecordKey)

const versionKey = (part: number, address: Address, version: number): Hex => {
  const key = new Uint8Array(5)
  key[0] = part
  key.set(numberToBytes(version, 4), 1)
  return contractKey(address, key)
}

/** The record of a contract; undefined for an account that is none. */
export function readRecord(journal: Journal, address: Address): ContractRecord | undefined {
  const value = journal.value(recordKey(address))
  if (value === undefined) return undefined
  let record = decoded.get(value)
  if (record === undefined) {
    record = unwrap(codec.decode(recordCodec, value))
    decoded.set(value, record)
  }
  return record
}

/** How far the transaction has used a contract's record. */
export const recordUse = (journal: Journal, address: Address): KeyUse => journal.valueUse(recordKey(address))

/** Records by their bytes, which a journal hands out again and again. */
const decoded = new WeakMap<Uint8Array, ContractRecord>()

export function writeRecord(journal: Journal, address: Address, record: ContractRecord): void {
  journal.setValue(recordKey(address), codec.encode(recordCodec, record))
}

/** Which code was a contract's by this number, from 1. */
export function readCodeVersion(journal: Journal, address: Address, version: number): CodeVersion | undefined {
  const value = journal.value(versionKey(PART.version, address, version))
  return value === undefined ? undefined : unwrap(codec.decode(versionCodec, value))
}

export function writeCodeVersion(journal: Journal, address: Address, version: number, code: CodeVersion): void {
  journal.setValue(versionKey(PART.version, address, version), codec.encode(versionCodec, code))
}

/** How far the transaction has used the description of one of a contract's codes. */
export const codeVersionUse = (journal: Journal, address: Address, version: number): KeyUse =>
  journal.valueUse(versionKey(PART.version, address, version))

/** How far the transaction has used a former code. */
export const formerCodeUse = (journal: Journal, address: Address, version: number): KeyUse =>
  journal.valueUse(versionKey(PART.code, address, version))

/** The code that a contract had before its present one. */
export const readFormerCode = (journal: Journal, address: Address, version: number): Uint8Array | undefined =>
  journal.value(versionKey(PART.code, address, version))

export function writeFormerCode(journal: Journal, address: Address, version: number, code: Uint8Array): void {
  journal.setValue(versionKey(PART.code, address, version), code)
}
