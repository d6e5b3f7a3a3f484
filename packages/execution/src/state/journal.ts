import {
  type Account,
  type Address,
  accountCodec,
  accountFromValue,
  accountKey,
  codec,
  codeKey,
  emptyBytes,
  equalBytes,
  type Hash,
  type Hex,
  isEmptyAccount,
  LIMITS,
  type Log,
  type Result,
  storageKey,
} from '@quoin/protocol'
import { judgeLog, type LogRefusal } from '../block/receipt-bounds.ts'
import { flatKeyOf, type KeyText, keyTextOf, storageFlatKey, storagePrefix } from './keys.ts'
import type { KvReader } from './kv.ts'
import { Slab } from './slab.ts'

/** A state key whose value has changed since the journal was opened. */
export interface StateChange {
  /** Database key of the flat state (`keys.ts`). */
  readonly flatKey: Uint8Array
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

/** A point to which a journal can revert. It is valid until the journal reverts to an earlier one. */
export interface Checkpoint {
  readonly writes: number
  readonly logs: number
  readonly creations: number
}

/** A contract that a message created. */
export interface Creation {
  readonly contract: Address
  /** The sender of the message: an account, or another contract. */
  readonly creator: Address
}

/** Value that a message moved from one account to another. */
export interface Transfer {
  readonly from: Address
  readonly to: Address
  /** In wei, above 0. */
  readonly value: bigint
  /** Number of logs that the transaction had before it. */
  readonly logsBefore: number
}

/** A transfer, and the one before it. */
interface TransferLink {
  readonly transfer: Transfer
  readonly earlier: TransferLink | undefined
}

/** How a transaction has used a key so far. It decides the price of the next use (`contract/key-gas.ts`). */
export type KeyUse = 'none' | 'read' | 'written'

/** A value that was read or written, with its value in the database. */
interface Slot<T> {
  readonly flatKey: Uint8Array
  readonly original: Uint8Array | undefined
  value: T
  /** The last transaction that read it, and the last that wrote it, by their order in the block. */
  readIn: number
  writtenIn: number
  /** Length of the longest value that the last writing transaction has written. */
  writtenBytes: number
}

interface Write {
  readonly slot: Slot<unknown>
  readonly previous: unknown
}

type ValueSlot = Slot<Uint8Array | undefined>

/** A storage entry of an account in the journal. */
export interface StorageSlot {
  readonly value: Uint8Array | undefined
}

/** An account in the journal. */
export interface UsedAccount {
  readonly address: Address
  readonly before: Account
  readonly after: Account
}

/** A storage entry in the journal, with its raw key. */
export interface UsedEntry {
  readonly address: Address
  readonly key: KeyText
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

/** Entries of one account's storage that were read or written. */
interface Storage {
  readonly prefix: Uint8Array
  readonly slots: Map<KeyText, ValueSlot>
}

const emptyReader: KvReader = { get: () => undefined }

export interface JournalOptions {
  /** Whether it records transfers of value. Only simulations read them. */
  readonly recordsTransfers?: boolean
}

const NEVER = -1

/**
 * The writes and logs of a block before they are in the database. Each key is read from the database once. Checkpoints nest: a
 * revert undoes every write and log since the checkpoint, including those after inner checkpoints.
 *
 * The journal records which keys the transaction has used, because a second use is cheap. A revert does not reset this: the value
 * that was read stays in memory, and a write that was paid for stays paid. It depends only on the transaction itself, not on
 * earlier transactions of the block or on any cache.
 */
export class Journal {
  readonly #reader: KvReader
  /** Accounts stay decoded until the end of the block. */
  readonly #accounts = new Map<Address, Slot<Account>>()
  /** Storage by address and raw key. */
  readonly #storage = new Map<Address, Storage>()
  /** Everything else by state key. */
  readonly #values = new Map<Hex, ValueSlot>()
  /**
   * Shared buffers for keys. Thousands of small buffers are work for the garbage collector, and when native code reads one of at
   * most 64 bytes, V8 first moves it out of its heap, which takes about 5 µs.
   */
  readonly #keys = new Slab()
  readonly #writes: Write[] = []
  readonly #logs: Log[] = []
  readonly #creations: Creation[] = []
  /** Number of logs of the transactions before this one. */
  #earlierLogs = 0
  /** Number of the running transaction. */
  #transaction = 0
  /** Transfers of the running transaction. They are kept like a written value, so that a revert undoes them. */
  readonly #transfers: Slot<TransferLink | undefined> | undefined

  /** @param reader the database (keys of `keys.ts`), which must not change while the journal lives; by default an empty one */
  constructor(reader: KvReader = emptyReader, { recordsTransfers = false }: JournalOptions = {}) {
    this.#reader = reader
    this.#transfers = recordsTransfers ? this.#slot<TransferLink | undefined>(emptyBytes(), undefined, undefined) : undefined
  }

  /** The account of an address; an empty one if it has none. */
  account(address: Address): Account {
    return this.#account(address).value
  }

  accountUse(address: Address): KeyUse {
    return this.#useOf(this.#accounts.get(address))
  }

  #account(address: Address): Slot<Account> {
    let slot = this.#accounts.get(address)
    if (slot === undefined) {
      const flatKey = this.#keys.keep(flatKeyOf(accountKey(address)))
      const original = this.#reader.get(flatKey)
      slot = this.#slot(flatKey, original, accountFromValue(original))
      this.#accounts.set(address, slot)
    }
    slot.readIn = this.#transaction
    return slot
  }

  setAccount(address: Address, account: Account): void {
    this.#write(this.#account(address), account)
  }

  /** Value of a state key that is not an account's. */
  value(stateKey: Hex): Uint8Array | undefined {
    return this.#value(stateKey).value
  }

  valueUse(stateKey: Hex): KeyUse {
    return this.#useOf(this.#values.get(stateKey))
  }

  setValue(stateKey: Hex, value: Uint8Array): void {
    checkSize(value)
    this.#write(this.#value(stateKey), value)
  }

  /** A code; undefined when the state has none with this hash. */
  code(codeHash: Hash): Uint8Array | undefined {
    return this.value(codeKey(codeHash))
  }

  /** The code of an address; undefined when it has none. */
  codeAt(address: Address): Uint8Array | undefined {
    const { codeHash } = this.account(address)
    return codeHash === undefined ? undefined : this.code(codeHash)
  }

  /**
   * A code, for the node's own caches. It does not count as use by the transaction, because a cache miss must not affect the price
   * of what the transaction does next.
   */
  peekCode(codeHash: Hash): Uint8Array | undefined {
    const key = codeKey(codeHash)
    const slot = this.#values.get(key)
    return slot === undefined ? this.#reader.get(flatKeyOf(key)) : slot.value
  }

  codeUse(codeHash: Hash): KeyUse {
    return this.valueUse(codeKey(codeHash))
  }

  /** Stores a code. `codeHash` must be its keccak256. */
  addCode(code: Uint8Array, codeHash: Hash): void {
    checkSize(code)
    this.#write(this.#value(codeKey(codeHash)), code)
  }

  /** Gives an account a code of the state. */
  setCodeHash(address: Address, codeHash: Hash): void {
    this.setAccount(address, { ...this.account(address), codeHash })
  }

  storage(address: Address, rawKey: KeyText | Uint8Array): Uint8Array | undefined {
    return this.storageSlot(address, rawKey).value
  }

  /**
   * Sets a storage entry. Undefined removes it; an empty value is a value.
   *
   * @throws RangeError when key or value exceed their limits
   */
  setStorage(address: Address, rawKey: KeyText | Uint8Array, value: Uint8Array | undefined): void {
    this.setSlot(this.storageSlot(address, rawKey), value)
  }

  /**
   * The entry, if the transaction has used it. This does not count as use. Callers that need several facts about an entry call
   * this once.
   */
  usedSlot(address: Address, rawKey: KeyText): StorageSlot | undefined {
    const slot = this.#storage.get(address)?.slots.get(rawKey)
    return slot?.readIn === this.#transaction ? slot : undefined
  }

  /**
   * Reads a storage entry.
   *
   * @throws RangeError when the key exceeds its limit
   */
  storageSlot(address: Address, rawKey: KeyText | Uint8Array): StorageSlot {
    const key = typeof rawKey === 'string' ? rawKey : keyTextOf(rawKey)
    let storage = this.#storage.get(address)
    if (storage === undefined) {
      storage = { prefix: storagePrefix(address), slots: new Map() }
      this.#storage.set(address, storage)
    }
    let slot = storage.slots.get(key)
    if (slot === undefined) {
      slot = this.#open(storageFlatKey(storage.prefix, key, this.#keys))
      storage.slots.set(key, slot)
    }
    slot.readIn = this.#transaction
    return slot
  }

  /** Sets an entry's value, as `setStorage`. */
  setSlot(entry: StorageSlot, value: Uint8Array | undefined): void {
    if (value !== undefined) checkSize(value)
    const slot = entry as ValueSlot
    const before = this.writtenBytes(slot)
    this.#write(slot, value)
    slot.writtenBytes = Math.max(before, value?.length ?? 0)
  }

  /** Whether a storage entry differs from the database. This does not count as use. */
  hasChanged(address: Address, rawKey: Uint8Array): boolean {
    const slot = this.#storage.get(address)?.slots.get(keyTextOf(rawKey))
    return slot !== undefined && !sameValue(slot.original, slot.value)
  }

  slotUse(slot: StorageSlot | undefined): KeyUse {
    return this.#useOf(slot as ValueSlot | undefined)
  }

  /** Length of the longest value that this transaction has written to an entry; 0 before the first write. */
  writtenBytes(slot: StorageSlot): number {
    const { writtenIn, writtenBytes } = slot as ValueSlot
    return writtenIn === this.#transaction ? writtenBytes : 0
  }

  #value(key: Hex): ValueSlot {
    let slot = this.#values.get(key)
    if (slot === undefined) {
      slot = this.#open(this.#keys.keep(flatKeyOf(key)))
      this.#values.set(key, slot)
    }
    slot.readIn = this.#transaction
    return slot
  }

  #open(flatKey: Uint8Array): ValueSlot {
    const original = this.#reader.get(flatKey)
    return this.#slot(flatKey, original, original)
  }

  #slot<T>(flatKey: Uint8Array, original: Uint8Array | undefined, value: T): Slot<T> {
    return { flatKey, original, value, readIn: this.#transaction, writtenIn: NEVER, writtenBytes: 0 }
  }

  #useOf(slot: Slot<unknown> | undefined): KeyUse {
    if (slot === undefined || slot.readIn !== this.#transaction) return 'none'
    return slot.writtenIn === this.#transaction ? 'written' : 'read'
  }

  #write<T>(slot: Slot<T>, value: T): void {
    this.#writes.push({ slot, previous: slot.value })
    slot.value = value
    slot.writtenIn = this.#transaction
  }

  /** Adds a log, unless the transaction's receipt could not hold it. A message whose log is refused must fail. */
  log(log: Log): Result<undefined, LogRefusal> {
    const judged = judgeLog(log, this.transactionLogs)
    if (judged.ok) this.#logs.push(log)
    return judged
  }

  /** Records a transfer if the journal was opened for that. A revert undoes it like a log. */
  recordTransfer(from: Address, to: Address, value: bigint): void {
    const slot = this.#transfers
    if (slot === undefined) return
    this.#write(slot, { transfer: { from, to, value, logsBefore: this.transactionLogs }, earlier: slot.value })
  }

  /** Recorded transfers of this transaction, in order, without reverted ones. */
  get transactionTransfers(): readonly Transfer[] {
    const transfers: Transfer[] = []
    for (let link = this.#transfers?.value; link !== undefined; link = link.earlier) transfers.push(link.transfer)
    return transfers.reverse()
  }

  /** Starts counting for a new transaction. The sender's account counts as written, because every transaction changes it. */
  beginTransaction(sender?: Address): void {
    this.#earlierLogs = this.#logs.length
    this.#transaction++
    if (this.#transfers !== undefined) this.#transfers.value = undefined
    if (sender !== undefined) this.#account(sender).writtenIn = this.#transaction
  }

  /** Number of logs of this transaction, without reverted ones. */
  get transactionLogs(): number {
    return this.#logs.length - this.#earlierLogs
  }

  checkpoint(): Checkpoint {
    return { writes: this.#writes.length, logs: this.#logs.length, creations: this.#creations.length }
  }

  revert({ writes, logs, creations }: Checkpoint): void {
    if (writes > this.#writes.length || logs > this.#logs.length) throw new RangeError('the checkpoint was already reverted')
    while (this.#writes.length > writes) {
      const { slot, previous } = this.#writes.pop()!
      slot.value = previous
    }
    this.#logs.length = logs
    this.#creations.length = creations
  }

  /** Logs since a checkpoint, in order. */
  logsSince({ logs }: Checkpoint): readonly Log[] {
    return this.#logs.slice(logs)
  }

  /** Accounts that were read or written, with their values in the database and now, in the order of their first use. */
  *usedAccounts(): Generator<UsedAccount> {
    for (const [address, { original, value }] of this.#accounts)
      yield { address, before: accountFromValue(original), after: value }
  }

  /** Storage entries that were read or written, with their values in the database and now, in the order of their first use. */
  *usedStorage(): Generator<UsedEntry> {
    for (const [address, { slots }] of this.#storage)
      for (const [key, { original, value }] of slots) yield { address, key, before: original, after: value }
  }

  /** Notes that a message created a contract. */
  created(creation: Creation): void {
    this.#creations.push(creation)
  }

  /** Contracts created since a checkpoint, without reverted ones, in order of their creations' ends. */
  creationsSince({ creations }: Checkpoint): readonly Creation[] {
    return this.#creations.slice(creations)
  }

  /** Changes against the database, in the order of the state keys. */
  changes(): readonly StateChange[] {
    // Keys as texts sort in that order: address and kind are hex, and the rest has the same form for each kind.
    const changed = new Map<string, StateChange>()
    const values = encodeAccounts([...this.#accounts.values()].map(({ value }) => value))
    let index = 0
    for (const [address, { flatKey, original }] of this.#accounts) {
      const after = values[index++]
      if (!sameValue(original, after)) changed.set(accountKey(address), { flatKey, before: original, after })
    }
    for (const [key, { flatKey, original, value }] of this.#values) {
      if (!sameValue(original, value)) changed.set(key, { flatKey, before: original, after: value })
    }
    for (const [address, { slots }] of this.#storage) {
      const prefix = storageKey(address, emptyBytes())
      for (const [key, { flatKey, original, value }] of slots)
        if (!sameValue(original, value)) changed.set(prefix + key, { flatKey, before: original, after: value })
    }
    return [...changed.keys()].sort().map((key) => changed.get(key)!)
  }
}

/**
 * Encodes accounts; undefined for empty ones, so that equal states have equal roots. The results are views into one buffer, which
 * is cheaper than one buffer each.
 */
function encodeAccounts(accounts: readonly Account[]): readonly (Uint8Array | undefined)[] {
  const writer = new codec.Writer()
  const ends = accounts.map((account) => {
    if (!isEmptyAccount(account)) accountCodec.write(writer, account)
    return writer.length
  })
  const bytes = writer.finish()
  return ends.map((end, i) => {
    const start = ends[i - 1] ?? 0
    return start === end ? undefined : bytes.subarray(start, end)
  })
}

const sameValue = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && equalBytes(a, b))

function checkSize(value: Uint8Array): void {
  if (value.length > LIMITS.stateValueBytesMax)
    throw new RangeError(`a state value has ${value.length} bytes, at most ${LIMITS.stateValueBytesMax} are allowed`)
}
