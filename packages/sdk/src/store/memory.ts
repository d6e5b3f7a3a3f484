import { Entries } from './entries.ts'
import { StoreError } from './error.ts'
import { NameQueue } from './name-queue.ts'
import type { Change, CommitOptions, ListOptions, OwnOptions, Store } from './store.ts'
import { Watchers } from './watchers.ts'

/** A store in the memory of this process: nothing survives it, and no other process sees it. */
export const memoryStore = (): Store => new MemoryStore('process')

export class MemoryStore implements Store {
  readonly durability: 'process' | 'tab'
  readonly #entries = new Entries()
  readonly #watchers = new Watchers()
  readonly #names = new NameQueue()
  #isClosed = false

  constructor(durability: 'process' | 'tab') {
    this.durability = durability
  }

  async get(key: string): Promise<string | undefined> {
    this.#check()
    return this.#entries.get(key)
  }

  async list(prefix: string, options?: ListOptions) {
    this.#check()
    return this.#entries.list(prefix, options)
  }

  async commit(changes: readonly Change[], { if: conditions = [] }: CommitOptions = {}): Promise<boolean> {
    this.#check()
    if (!this.#entries.holds(conditions)) return false
    this.#entries.apply(changes)
    this.#watchers.tell(changes.map(({ key }) => key))
    return true
  }

  watch(prefix: string, listener: () => void): () => void {
    this.#check()
    return this.#watchers.add(prefix, listener)
  }

  async own<T>(name: string, run: (lost: AbortSignal) => Promise<T>, options: OwnOptions = {}): Promise<T | undefined> {
    this.#check()
    return this.#names.own(name, run, options)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#watchers.clear()
    this.#names.close(new StoreError('closed', 'The store was closed.'))
  }

  #check(): void {
    if (this.#isClosed) throw new StoreError('closed', 'The store was closed.')
  }
}
