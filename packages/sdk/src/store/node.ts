import { randomBytes } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { resolve } from 'node:path'
import { StoreError } from './error.ts'
import { FileLog } from './file-log.ts'
import { FileOwner, isOwnerKey } from './file-owner.ts'
import type { Change, CommitOptions, ListOptions, OwnOptions, Store } from './store.ts'
import { Turns } from './turns.ts'
import { Watchers } from './watchers.ts'

/**
 * A store in files, for Node.js. Several processes of one machine may use it at the same time, and each may be killed at any moment. All entries
 * are held in memory too: it is made for thousands of records, not for millions.
 *
 * @param directory a directory for this store alone; it is created if missing. Its file system needs hard links
 * @throws StoreError `damaged` or `unavailable`
 */
export async function fileStore(directory: string): Promise<Store> {
  const root = resolve(directory)
  const log = new FileLog(root, token)
  await explained(root, () => log.open())
  return new FileStore(root, log)
}

const token = (): string => randomBytes(8).toString('hex')

/** Commits of this process that are written as one. */
const GROUP_MAX = 256
/** Some file systems report no changes, so a watched store also looks by itself. */
const LOOK_MS = 1_000

interface Pending {
  readonly changes: readonly Change[]
  readonly conditions: readonly Change[]
  readonly resolve: (done: boolean) => void
  readonly reject: (failure: unknown) => void
}

class FileStore implements Store {
  readonly durability = 'device'
  readonly #root: string
  readonly #log: FileLog
  readonly #turns = new Turns()
  readonly #watchers = new Watchers()
  readonly #owner: FileOwner
  readonly #pending: Pending[] = []
  #isWriting = false
  #syncing: Promise<void> | undefined
  #stopLooking: (() => void) | undefined
  #isClosed = false

  constructor(root: string, log: FileLog) {
    this.#root = root
    this.#log = log
    this.#owner = new FileOwner(root, token, {
      get: async (key) => {
        await this.#sync()
        return this.#log.entries.get(key)
      },
      commit: (changes, conditions) => this.#commit(changes, conditions),
      watch: (prefix, listener) => this.watch(prefix, listener),
    })
  }

  async get(key: string): Promise<string | undefined> {
    await this.#sync()
    return this.#log.entries.get(key)
  }

  async list(prefix: string, options?: ListOptions) {
    await this.#sync()
    return this.#log.entries.list(prefix, options).filter(([key]) => !isOwnerKey(key))
  }

  async commit(changes: readonly Change[], { if: conditions = [] }: CommitOptions = {}): Promise<boolean> {
    return this.#commit(changes, conditions)
  }

  watch(prefix: string, listener: () => void): () => void {
    this.#check()
    const remove = this.#watchers.add(prefix, listener)
    this.#stopLooking ??= this.#look()
    return () => {
      remove()
      if (this.#watchers.count > 0) return
      this.#stopLooking?.()
      this.#stopLooking = undefined
    }
  }

  async own<T>(name: string, run: (lost: AbortSignal) => Promise<T>, options: OwnOptions = {}): Promise<T | undefined> {
    this.#check()
    return this.#owner.own(name, run, options)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.#owner.close(new StoreError('closed', 'The store was closed.'))
    this.#isClosed = true
    this.#stopLooking?.()
    this.#watchers.clear()
    await this.#turns.take(async () => undefined)
  }

  #check(): void {
    if (this.#isClosed) throw new StoreError('closed', 'The store was closed.')
  }

  /** Reads others' commits. A call joins a look that has not begun. */
  #sync(): Promise<void> {
    this.#syncing ??= this.#turns.take(async () => {
      this.#syncing = undefined
      this.#check()
      this.#watchers.tell(await explained(this.#root, () => this.#log.sync()))
    })
    return this.#syncing
  }

  #commit(changes: readonly Change[], conditions: readonly Change[]): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ changes, conditions, resolve, reject })
      if (this.#isWriting) return
      this.#isWriting = true
      void this.#write()
    })
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const group = this.#pending.splice(0, GROUP_MAX)
      try {
        this.#check()
        const results = await this.#turns.take(() => explained(this.#root, () => this.#append(group)))
        for (const [i, { resolve }] of group.entries()) resolve(results[i]!)
      } catch (failure) {
        for (const { reject } of group) reject(failure)
      }
    }
    this.#isWriting = false
  }

  /** Decides each commit on what all before it left, and appends those that hold as one record. */
  async #append(group: readonly Pending[]): Promise<readonly boolean[]> {
    for (;;) {
      this.#watchers.tell(await this.#log.sync())
      const changed = new Map<string, string | undefined>()
      const valueOf = (key: string) => (changed.has(key) ? changed.get(key) : this.#log.entries.get(key))
      const results = group.map(({ changes, conditions }) => {
        const holds = conditions.every(({ key, value }) => valueOf(key) === value)
        if (holds) for (const { key, value } of changes) changed.set(key, value)
        return holds
      })
      if (changed.size === 0) return results
      if (!(await this.#log.append([...changed].map(([key, value]) => ({ key, value }))))) continue
      this.#watchers.tell([...changed.keys()])
      return results
    }
  }

  #look(): () => void {
    const look = (): void => {
      // A store that fails here fails at the next use too, and its user hears it there.
      if (!this.#isClosed) void this.#sync().catch(() => this.#watchers.tellAll())
    }
    const timer = setInterval(look, LOOK_MS).unref()
    const watcher = watched(this.#root, look)
    return () => {
      clearInterval(timer)
      watcher?.close()
    }
  }
}

/** Undefined where the system has no more watches. */
function watched(directory: string, changed: () => void): FSWatcher | undefined {
  try {
    return watch(directory, { persistent: false }, changed).on('error', changed)
  } catch (failure) {
    if (failure instanceof Error) return undefined
    throw failure
  }
}

/** Runs work on files; a failure of the file system becomes a StoreError. */
async function explained<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (failure) {
    if (failure instanceof StoreError) throw failure
    const code = (failure as NodeJS.ErrnoException).code
    const reason = code === 'ENOSPC' || code === 'EDQUOT' ? 'full' : 'unavailable'
    throw new StoreError(reason, `The store in ${root} failed (${code ?? 'no code'}).`, failure)
  }
}
