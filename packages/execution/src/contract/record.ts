import { type Address, codec, contractKey, type Hash, type Height, type Hex, numberToBytes, unwrap } from '@quoin/protocol'
import type { Journal, KeyUse } from '../state/journal.ts'
import type { Ticks } from '../ticks.ts'
import { TextCache } from './cache.ts'
import { CONTRACT_CACHE_LIMITS } from './limits.ts'

/** The state's data about a contract, in addition to its code. */
export interface ContractRecord {
  /** Number of codes that the contract has had, the current one included. */
  readonly version: number
  /**
   * Account that may replace the code, pause the contract and transfer the authority; undefined when the contract is immutable.
   */
  readonly authority: Address | undefined
  /** While set, only static calls can enter. */
  readonly paused: boolean
  /** Roles of which a caller must have one; 0 if anyone may call. Static calls are free. */
  readonly callers: number
  /** Execution version under which the current code was accepted. */
  readonly executionVersion: Hash
  /** Price in ticks of the code's first use in a block. */
  readonly loadGas: Ticks
  /** Length of the code, so that a read can be charged before it happens. */
  readonly codeBytes: number
}

/** One of a contract's codes. */
export interface CodeVersion {
  readonly codeHash: Hash
  /** Height of the block that installed it. */
  readonly height: Height
  readonly codeBytes: number
}

export const recordCodec: codec.Codec<ContractRecord> = codec.struct({
  version: codec.u32(),
  authority: codec.optional(codec.address),
  paused: codec.bool,
  callers: codec.u32(),
  executionVersion: codec.hash,
  loadGas: codec.u64(),
  codeBytes: codec.u32(),
})

export const versionCodec: codec.Codec<CodeVersion> = codec.struct({
  codeHash: codec.hash,
  height: codec.u64<Height>(),
  codeBytes: codec.u32(),
})

/** Parts of a record: the record itself, the description of a version. The code of a version is under its hash. */
const PART = { record: 0, version: 1 } as const

/** Cached, because a message needs its receiver's record several times. */
const recordKeys = new TextCache<Hex>(CONTRACT_CACHE_LIMITS.recordKeysMax)
const makeRecordKey = (address: string): Hex => contractKey(address as Address, Uint8Array.of(PART.record))
const recordKey = (address: Address): Hex => recordKeys.get(address, makeRecordKey)

const versionKey = (address: Address, version: number): Hex => {
  const key = new Uint8Array(5)
  key[0] = PART.version
  key.set(numberToBytes(version, 4), 1)
  return contractKey(address, key)
}

/** Record of a contract; undefined for an account that is not a contract. */
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

/** How the current transaction has used a contract's record. */
export const recordUse = (journal: Journal, address: Address): KeyUse => journal.valueUse(recordKey(address))

/** Decoded records by their bytes, because a journal returns the same bytes again and again. */
const decoded = new WeakMap<Uint8Array, ContractRecord>()

export function writeRecord(journal: Journal, address: Address, record: ContractRecord): void {
  journal.setValue(recordKey(address), codec.encode(recordCodec, record))
}

/** Description of a contract's code with this version number, from 1. */
export function readCodeVersion(journal: Journal, address: Address, version: number): CodeVersion | undefined {
  const value = journal.value(versionKey(address, version))
  return value === undefined ? undefined : unwrap(codec.decode(versionCodec, value))
}

export function writeCodeVersion(journal: Journal, address: Address, version: number, code: CodeVersion): void {
  journal.setValue(versionKey(address, version), codec.encode(versionCodec, code))
}

/** How the current transaction has used the description of a code version. */
export const codeVersionUse = (journal: Journal, address: Address, version: number): KeyUse =>
  journal.valueUse(versionKey(address, version))
