import { type Change, type Entry, LIST_LIMIT_DEFAULT, type ListOptions } from './store.ts'

/** Text values by text keys, in the order of the keys. */
export class Entries {
  readonly #values = new Map<string, string>()
  /** Sorted by UTF-16 units. */
  readonly #keys: string[] = []
  #bytes = 0

  constructor(entries: Iterable<Entry> = []) {
    for (const [key, value] of entries) this.#set(key, value)
  }

  /** UTF-16 units of all keys and values. */
  get size(): number {
    return this.#bytes
  }

  get(key: string): string | undefined {
    return this.#values.get(key)
  }

  keys(): readonly string[] {
    return this.#keys
  }

  list(prefix: string, { after, limit = LIST_LIMIT_DEFAULT }: ListOptions = {}): readonly Entry[] {
    const found: Entry[] = []
    const isAfter = after !== undefined && after >= prefix
    for (let i = this.#place(isAfter ? after : prefix); i < this.#keys.length && found.length < limit; i++) {
      const key = this.#keys[i]!
      if (!key.startsWith(prefix)) break
      if (!isAfter || key > after) found.push([key, this.#values.get(key)!])
    }
    return found
  }

  holds(conditions: readonly Change[]): boolean {
    return conditions.every(({ key, value }) => this.#values.get(key) === value)
  }

  apply(changes: readonly Change[]): void {
    for (const { key, value } of changes) {
      if (value === undefined) this.#delete(key)
      else this.#set(key, value)
    }
  }

  #set(key: string, value: string): void {
    const before = this.#values.get(key)
    if (before === undefined) this.#keys.splice(this.#place(key), 0, key)
    this.#bytes += value.length - (before === undefined ? -key.length : before.length)
    this.#values.set(key, value)
  }

  #delete(key: string): void {
    const before = this.#values.get(key)
    if (before === undefined) return
    this.#keys.splice(this.#place(key), 1)
    this.#bytes -= key.length + before.length
    this.#values.delete(key)
  }

  /** Index of the first key that is not below `key`. */
  #place(key: string): number {
    let [low, high] = [0, this.#keys.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#keys[middle]! < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
