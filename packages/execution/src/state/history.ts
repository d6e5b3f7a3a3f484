import {
  type Account,
  type Address,
  accountFromValue,
  accountKey,
  codeKey,
  type Hex,
  hexToBytes,
  storageKey,
} from '@quoin/protocol'
import type { StateChange } from './journal.ts'
import { accountInHistoryKey, flatKey, historyKey, historyRange, stateKeyOf } from './keys.ts'
import type { KvOp, KvReader } from './kv.ts'
import { type Reading, readingOf, SYSTEM_ADDRESS, type SystemRecord } from './system-records.ts'

const ABSENT = Uint8Array.of(0)
const PRESENT = 1

/** Writes of one block to the flat state. Genesis has no history, because no state precedes it. */
export function flatOps(changes: readonly StateChange[]): readonly KvOp[] {
  return changes.map(({ flatKey, after }) => ({ key: flatKey, value: after }))
}

/** Writes of the changed keys' values before the block of `height`, for reads at earlier heights. */
export function historyOps(changes: readonly StateChange[], height: number): readonly KvOp[] {
  return changes.map(({ flatKey, before }) => ({ key: historyKey(stateKeyOf(flatKey), height), value: toHistoryValue(before) }))
}

function toHistoryValue(value: Uint8Array | undefined): Uint8Array {
  if (value === undefined) return ABSENT
  const out = new Uint8Array(1 + value.length)
  out[0] = PRESENT
  out.set(value, 1)
  return out
}

function fromHistoryValue(value: Uint8Array): Uint8Array | undefined {
  if (value[0] === PRESENT) return value.subarray(1)
  if (isAbsent(value)) return undefined
  throw new Error('history value is damaged')
}

/** Accounts that a block created, from its writes: accounts that did not exist before it. */
export function createdAccounts(ops: readonly KvOp[]): ReadonlySet<Address> {
  const created = new Set<Address>()
  for (const { key, value } of ops) {
    const address = value !== undefined && isAbsent(value) ? accountInHistoryKey(key) : undefined
    if (address !== undefined) created.add(address)
  }
  return created
}

/** Whether the block of `height` created an account that it changed. */
export function isCreatedAt(kv: KvReader, address: Address, height: number): boolean {
  const value = kv.get(historyKey(hexToBytes(accountKey(address)), height))
  return value !== undefined && isAbsent(value)
}

const isAbsent = (value: Uint8Array): boolean => value.length === 1 && value[0] === ABSENT[0]

/** The database as needed for reads of past state; the node's `Kv` implements it. */
export interface HistoryKv extends KvReader {
  scan(range: {
    readonly from: Uint8Array
    readonly to: Uint8Array
    readonly limit?: number
  }): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
}

/** The state after the block of `height`. Blocks may be committed while it is read. */
export class PastState {
  readonly height: number
  readonly #kv: HistoryKv
  readonly #isLast: () => boolean

  constructor(kv: HistoryKv, height: number, isLast: () => boolean) {
    this.#kv = kv
    this.height = height
    this.#isLast = isLast
  }

  /** Value of a state key. */
  async get(stateKey: Hex): Promise<Uint8Array | undefined> {
    const key = hexToBytes(stateKey)
    // Read the current value before the history: if a block is committed in between, the older value is in the history.
    const present = this.#kv.get(flatKey(key))
    return this.#isLast() ? present : this.resolve(key, present)
  }

  /** Value of a state key whose current value was read before this call. */
  async resolve(stateKey: Uint8Array, present: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    for await (const [, value] of this.#kv.scan({ ...historyRange(stateKey, this.height + 1), limit: 1 }))
      return fromHistoryValue(value)
    return present
  }

  async account(address: Address): Promise<Account> {
    return accountFromValue(await this.get(accountKey(address)))
  }

  /** The code of an account; undefined when it has none. */
  async code(address: Address): Promise<Uint8Array | undefined> {
    const { codeHash } = await this.account(address)
    return codeHash === undefined ? undefined : this.get(codeKey(codeHash))
  }

  storage(address: Address, rawKey: Uint8Array): Promise<Uint8Array | undefined> {
    return this.get(storageKey(address, rawKey))
  }

  /**
   * Reads one of `SYSTEM_RECORDS`.
   *
   * @throws Error when the database has no genesis
   */
  async record<T>(record: SystemRecord<T>): Promise<Reading<T>> {
    return readingOf(record, await this.storage(SYSTEM_ADDRESS, record.key), await this.storage(SYSTEM_ADDRESS, record.goodKey))
  }
}

/**
 * The state after the block of `height`.
 *
 * @param isLast whether no block after that height has begun to be written; values read before it is called then need no history
 */
export const stateAt = (kv: HistoryKv, height: number, isLast: () => boolean = () => false): PastState =>
  new PastState(kv, height, isLast)
