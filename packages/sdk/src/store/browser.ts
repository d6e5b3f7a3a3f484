import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, openDB } from 'idb'
import { StoreError } from './error.ts'
import { MemoryStore } from './memory.ts'
import {
  type Change,
  type CommitOptions,
  type Entry,
  LIST_LIMIT_DEFAULT,
  type ListOptions,
  type OwnOptions,
  type Store,
} from './store.ts'
import { Watchers } from './watchers.ts'

/**
 * Why values live in the tab only. `no-database`, `no-locks`: this browser or page lacks IndexedDB or Web Locks (they need a secure context).
 * `refused`: the database could not be opened or written, as in some private modes. `blocked`: it did not open in time.
 */
export type TabReason = 'no-database' | 'no-locks' | 'refused' | 'blocked'

export interface BrowserStore extends Store {
  readonly durability: 'device' | 'tab'
  /** Why `durability` is `tab`. */
  readonly tabReason: TabReason | undefined
}

/** The parts of a browser that the store uses. Those of the page if missing. */
export interface BrowserPowers {
  readonly locks?: Pick<LockManager, 'request'> | undefined
  readonly openChannel?: ((name: string) => BroadcastChannel) | undefined
}

/**
 * A store in the browser's database, shared by the tabs of an origin. Where the browser cannot store or has no locks, values live in this tab
 * only, and `durability` says `tab`: what must survive the tab, such as a key, must not be put there.
 *
 * @param name one database each, for example the name of the application
 */
export async function indexedDb(name: string, powers: BrowserPowers = {}): Promise<BrowserStore> {
  const locks = 'locks' in powers ? powers.locks : globalThis.navigator?.locks
  const openChannel = 'openChannel' in powers ? powers.openChannel : pageChannel()
  if (globalThis.indexedDB === undefined) return new TabStore('no-database')
  // Without locks two tabs would own the same key.
  if (locks === undefined) return new TabStore('no-locks')
  const connection = new Connection(`quoin/${name}`)
  try {
    await connection.probe()
  } catch (failure) {
    connection.close()
    return new TabStore(failure instanceof BlockedError ? 'blocked' : 'refused')
  }
  return new DatabaseStore(`quoin/${name}`, connection, locks, openChannel?.(`quoin/${name}`))
}

function pageChannel(): ((name: string) => BroadcastChannel) | undefined {
  return globalThis.BroadcastChannel === undefined ? undefined : (name) => new BroadcastChannel(name)
}

const ENTRIES = 'entries'
/** Written when the store is opened, to see that the browser stores. No list shows it. */
const PROBE_KEY = '\uffff\uffffprobe'
const OPEN_MS_MAX = 5_000
/** Without a channel between tabs, a watched store calls its listeners this often. */
const LOOK_MS = 1_000

interface Schema extends DBSchema {
  [ENTRIES]: { key: string; value: string }
}

type EntryStore = IDBPObjectStore<Schema, [typeof ENTRIES], typeof ENTRIES, 'readonly' | 'readwrite'>

class TabStore extends MemoryStore implements BrowserStore {
  override readonly durability = 'tab'
  readonly tabReason: TabReason

  constructor(reason: TabReason) {
    super('tab')
    this.tabReason = reason
  }
}

class BlockedError extends Error {}

/** Errors of a connection that ended, by the browser or by another tab. Nothing was committed; a new connection may work. */
const ENDED = new Set(['InvalidStateError', 'AbortError', 'UnknownError'])

/** A database connection that is opened again when the browser closed it. */
class Connection {
  readonly #name: string
  #database: Promise<IDBPDatabase<Schema>> | undefined
  #isClosed = false

  constructor(name: string) {
    this.#name = name
  }

  async probe(): Promise<void> {
    await this.run('readwrite', async (entries) => {
      await entries.put!('', PROBE_KEY)
    })
  }

  /** Runs work in one transaction; a second time, on a new connection, if the first one had ended. */
  async run<T>(mode: 'readonly' | 'readwrite', work: (entries: EntryStore) => Promise<T>): Promise<T> {
    try {
      return await this.#transact(mode, work)
    } catch (failure) {
      if (this.#isClosed || !ENDED.has((failure as Error).name)) throw failure
      this.#drop()
      return this.#transact(mode, work)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#drop()
  }

  async #transact<T>(mode: 'readonly' | 'readwrite', work: (entries: EntryStore) => Promise<T>): Promise<T> {
    const database = await (this.#database ??= this.#open())
    // Chromium's default reports a commit before it is on the disk.
    const transaction = database.transaction(ENTRIES, mode, { durability: 'strict' })
    try {
      const result = await work(transaction.store)
      await transaction.done
      return result
    } catch (failure) {
      // The transaction's own failure says why; the request's only that it was aborted.
      await transaction.done.catch((reason: unknown) => {
        throw reason ?? failure
      })
      throw failure
    }
  }

  async #open(): Promise<IDBPDatabase<Schema>> {
    const opening = openDB<Schema>(this.#name, 1, {
      upgrade: (database) => void database.createObjectStore(ENTRIES),
      // Another tab deletes or upgrades the database: it waits for this connection to close.
      blocking: () => this.#drop(),
      terminated: () => this.#drop(),
    })
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new BlockedError(`the database did not open within ${OPEN_MS_MAX} ms`)), OPEN_MS_MAX)
    })
    try {
      return await Promise.race([opening, late])
    } catch (failure) {
      this.#database = undefined
      // One that opens after all is closed again.
      void opening.then(
        (database) => database.close(),
        () => undefined,
      )
      throw failure
    } finally {
      clearTimeout(timer)
    }
  }

  #drop(): void {
    const database = this.#database
    this.#database = undefined
    void database?.then(
      (open) => open.close(),
      () => undefined,
    )
  }
}

class DatabaseStore implements BrowserStore {
  readonly durability = 'device'
  readonly tabReason = undefined
  readonly #name: string
  readonly #connection: Connection
  readonly #locks: Pick<LockManager, 'request'>
  readonly #channel: BroadcastChannel | undefined
  readonly #watchers = new Watchers()
  readonly #closing = new AbortController()
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(name: string, connection: Connection, locks: Pick<LockManager, 'request'>, channel: BroadcastChannel | undefined) {
    this.#name = name
    this.#connection = connection
    this.#locks = locks
    this.#channel = channel
    channel?.addEventListener('message', ({ data }) => this.#watchers.tell(Array.isArray(data) ? data.map(String) : []))
  }

  get(key: string): Promise<string | undefined> {
    return this.#run('readonly', (entries) => entries.get(key))
  }

  list(prefix: string, { after, limit = LIST_LIMIT_DEFAULT }: ListOptions = {}): Promise<readonly Entry[]> {
    const isAfter = after !== undefined && after >= prefix
    return this.#run('readonly', async (entries) => {
      const found: Entry[] = []
      const range = IDBKeyRange.lowerBound(isAfter ? after : prefix, isAfter)
      for (
        let cursor = await entries.openCursor(range);
        cursor !== null && found.length < limit;
        cursor = await cursor.continue()
      ) {
        if (!cursor.key.startsWith(prefix)) break
        if (cursor.key !== PROBE_KEY) found.push([cursor.key, cursor.value])
      }
      return found
    })
  }

  async commit(changes: readonly Change[], { if: conditions = [] }: CommitOptions = {}): Promise<boolean> {
    const done = await this.#run('readwrite', async (entries) => {
      const values = await Promise.all(conditions.map(({ key }) => entries.get(key)))
      if (!conditions.every(({ value }, i) => values[i] === value)) return false
      await Promise.all(changes.map(({ key, value }) => (value === undefined ? entries.delete!(key) : entries.put!(value, key))))
      return true
    })
    if (done) this.#tell(changes.map(({ key }) => key))
    return done
  }

  watch(prefix: string, listener: () => void): () => void {
    this.#check()
    const remove = this.#watchers.add(prefix, listener)
    if (this.#channel === undefined) this.#timer ??= setInterval(() => this.#watchers.tellAll(), LOOK_MS)
    return () => {
      remove()
      if (this.#watchers.count === 0) this.#stopLooking()
    }
  }

  async own<T>(
    name: string,
    run: (lost: AbortSignal) => Promise<T>,
    { signal, ifAvailable = false }: OwnOptions = {},
  ): Promise<T | undefined> {
    this.#check()
    signal?.throwIfAborted()
    const lost = new AbortController()
    const waiting = new AbortController()
    const stopWaiting = (): void => waiting.abort(signal?.aborted === true ? signal.reason : this.#closing.signal.reason)
    const lose = (): void => lost.abort(this.#closing.signal.reason)
    signal?.addEventListener('abort', stopWaiting)
    this.#closing.signal.addEventListener('abort', stopWaiting)
    this.#closing.signal.addEventListener('abort', lose)
    try {
      // `ifAvailable` excludes a signal.
      const options = ifAvailable ? { ifAvailable } : { signal: waiting.signal }
      return (await this.#locks.request(`${this.#name}/${name}`, options, (lock) =>
        lock === null ? undefined : run(lost.signal),
      )) as T | undefined
    } catch (failure) {
      // Another tab may steal the lock: the request is then refused while `run` goes on.
      lost.abort(failure)
      throw failure
    } finally {
      signal?.removeEventListener('abort', stopWaiting)
      this.#closing.signal.removeEventListener('abort', stopWaiting)
      this.#closing.signal.removeEventListener('abort', lose)
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(new StoreError('closed', 'The store was closed.'))
    this.#stopLooking()
    this.#watchers.clear()
    this.#channel?.close()
    this.#connection.close()
  }

  #check(): void {
    this.#closing.signal.throwIfAborted()
  }

  #stopLooking(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Tells this tab's listeners and the other tabs. */
  #tell(keys: readonly string[]): void {
    this.#watchers.tell(keys)
    if (!this.#closing.signal.aborted) this.#channel?.postMessage(keys)
  }

  async #run<T>(mode: 'readonly' | 'readwrite', work: (entries: EntryStore) => Promise<T>): Promise<T> {
    this.#check()
    try {
      return await this.#connection.run(mode, work)
    } catch (failure) {
      this.#check()
      const name = (failure as Error).name
      throw new StoreError(
        name === 'QuotaExceededError' ? 'full' : 'unavailable',
        `The browser's database failed (${name}).`,
        failure,
      )
    }
  }
}
