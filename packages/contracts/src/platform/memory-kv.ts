import type { KvOp } from '@quoin/execution'

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * An ordered database in memory, with the order and the atomic writes of the one on disk: the node's `Kv`. For development and tests; keeps
 * its own copies.
 */
export class MemoryKv {
  /** By a text with one character for each byte: as short as the key, equal only for equal keys, and in their order. */
  readonly #entries = new Map<string, Entry>()
  /** All names in order; undefined since a write that added or removed some. */
  #order: readonly string[] | undefined
  #scanned = false

  get size(): number {
    return this.#entries.size
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(nameOf(key))?.value.slice()
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return keys.map((key) => this.get(key))
  }

  /** Entries of a range in key order, the last ones first if `reverse`: from `from` on, below `to`, `limit` at the most. */
  async *scan(range: {
    readonly from: Uint8Array
    readonly to: Uint8Array
    readonly reverse?: boolean
    readonly limit?: number
  }): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]> {
    const { from, to, reverse = false, limit } = range
    const names = this.#namesWithin(nameOf(from), nameOf(to))
    if (reverse) names.reverse()
    const entries = names.slice(0, limit).map((name) => this.#entries.get(name)!)
    for (const { key, value } of entries) yield [key.slice(), value.slice()]
  }

  async write(ops: readonly KvOp[]): Promise<void> {
    this.apply(ops)
  }

  /** The write without its promise. */
  apply(ops: readonly KvOp[]): void {
    const { size } = this.#entries
    let removed = false
    for (const { key, value } of ops) {
      const name = nameOf(key)
      if (value === undefined) removed = this.#entries.delete(name) || removed
      else this.#entries.set(name, { key: key.slice(), value: value.slice() })
    }
    if (!removed && this.#entries.size === size) return
    this.#order = undefined
    this.#scanned = false
  }

  /** A database with the same content, independent of this one. */
  clone(): MemoryKv {
    const copy = new MemoryKv()
    for (const [name, entry] of this.#entries) copy.#entries.set(name, entry)
    copy.#order = this.#order
    return copy
  }

  /** Names from one on and below another. The first scan after a write sorts what it finds; from the second on it pays to sort all. */
  #namesWithin(from: string, to: string): string[] {
    if (this.#order === undefined && !this.#scanned) {
      this.#scanned = true
      return [...this.#entries.keys()].filter((name) => name >= from && name < to).sort()
    }
    this.#order ??= [...this.#entries.keys()].sort()
    return this.#order.slice(placeOf(from, this.#order), placeOf(to, this.#order))
  }
}

/** How many of the names come before this one. */
function placeOf(name: string, order: readonly string[]): number {
  let low = 0
  for (let high = order.length; low < high; ) {
    const middle = (low + high) >>> 1
    if (order[middle]! < name) low = middle + 1
    else high = middle
  }
  return low
}

const nameOf = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
