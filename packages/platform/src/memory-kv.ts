import type { KvOp } from '@quoin/execution'
import { OrderedMap } from './ordered-map.ts'

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * An ordered database in memory, with the order and the atomic writes of the one on disk: the node's `Kv`. For development and tests; keeps
 * its own copies. A clone costs nothing but what is written afterwards.
 */
export class MemoryKv {
  /** By a text with one character for each byte: as short as the key, equal only for equal keys, and in their order. */
  readonly #entries: OrderedMap<Entry>

  constructor(entries: OrderedMap<Entry> = new OrderedMap()) {
    this.#entries = entries
  }

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
    const { from, to, reverse = false, limit = Number.POSITIVE_INFINITY } = range
    const found = this.#entries.range({ from: nameOf(from), to: nameOf(to), reverse, limit })
    for (const { key, value } of found) yield [key.slice(), value.slice()]
  }

  async write(ops: readonly KvOp[]): Promise<void> {
    this.apply(ops)
  }

  /** The write without its promise. */
  apply(ops: readonly KvOp[]): void {
    for (const { key, value } of ops) {
      const name = nameOf(key)
      if (value === undefined) this.#entries.delete(name)
      else this.#entries.set(name, { key: key.slice(), value: value.slice() })
    }
  }

  /** A database with the same content, independent of this one. */
  clone(): MemoryKv {
    return new MemoryKv(this.#entries.clone())
  }
}

const nameOf = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
