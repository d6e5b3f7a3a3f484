/**
 * What sends and streams keep across a crash: text values by text keys. All implementations pass one suite (`test/store/conformance.ts`).
 *
 * - `memoryStore()`: the memory of a process.
 * - `fileStore(directory)` of `@quoin/sdk/store/node`: several processes, a disk.
 * - `indexedDb(name)` of `@quoin/sdk/store/browser`: several tabs, the browser's database.
 */
export interface Store {
  /** What values survive. `device`: a crash of the process or tab. `tab`: nothing, because the browser cannot store. `process`: nothing. */
  readonly durability: 'device' | 'tab' | 'process'
  get(key: string): Promise<string | undefined>
  /** Keys that begin with `prefix`, in the order of their UTF-16 units, with their values. `after` leaves out keys up to and including it. */
  list(prefix: string, options?: ListOptions): Promise<readonly Entry[]>
  /**
   * Makes all changes or none, and resolves when they are durable.
   *
   * @returns false, without a change, if one of the values in `if` does not hold
   */
  commit(changes: readonly Change[], options?: CommitOptions): Promise<boolean>
  /**
   * Calls `listener` after changes below `prefix` by anybody: this store, other tabs, other processes. It may be called once for several
   * changes, and without a change. Ends when the returned function is called.
   */
  watch(prefix: string, listener: () => void): () => void
  /**
   * Waits until this caller owns `name`, then runs `run` and owns the name until it settles. A name has one owner on the device at a time; when
   * a process or tab dies, the next one in line takes over. `lost` aborts if ownership is taken away, for example because the process was
   * stopped for a while: what the owner then does must hold by the conditions of its commits, not by ownership.
   *
   * @returns undefined if `ifAvailable` is set and somebody else owns it
   * @throws the signal's reason, if it aborts before `run` starts
   */
  own<T>(name: string, run: (lost: AbortSignal) => Promise<T>, options?: OwnOptions): Promise<T | undefined>
  /** Ends watches and waits. Later calls are refused with a StoreError of reason `closed`. */
  close(): Promise<void>
}

export type Entry = readonly [key: string, value: string]

/** A value to write, or undefined to delete the key. As a condition: the value that must be there, or undefined for no value. */
export interface Change {
  readonly key: string
  readonly value: string | undefined
}

export interface ListOptions {
  readonly after?: string
  /** Number of entries. 1,000 if missing. */
  readonly limit?: number
}

export interface CommitOptions {
  readonly if?: readonly Change[]
}

export interface OwnOptions {
  /** Ends the wait for ownership. */
  readonly signal?: AbortSignal
  /** Gives up at once if the name has another owner. */
  readonly ifAvailable?: boolean
}

export const LIST_LIMIT_DEFAULT = 1_000
