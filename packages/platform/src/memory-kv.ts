import { createRequire } from 'node:module'
import type { KvOp } from '@quoin/execution'
import type sortedBtree from 'sorted-btree'

// Uses require because the default export of this CommonJS module differs between Node.js and vitest when it is imported.
const require = createRequire(import.meta.url)
const { default: BTree, simpleComparator } = require('sorted-btree') as typeof sortedBtree

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Selects the entries with `from` ≤ key < `to` in the order of keys, or in the opposite order if `reverse` is set; at most `limit` entries. */
interface Range {
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
}

/**
 * An ordered key-value database in memory, for development and tests. It implements the node's `Kv` with the order and the atomic writes of the database
 * on disk. It copies keys and values. A clone shares memory with the original until one of them is written.
 */
export class MemoryKv {
  /** By the key as a string with one character per byte, which keeps length, equality and order of the bytes. */
  #entries = new BTree<string, Entry>(undefined, simpleComparator)

  /** Number of entries. */
  get size(): number {
    return this.#entries.size
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(nameOf(key))?.value.slice()
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return keys.map((key) => this.get(key))
  }

  async *scan(range: Range): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]> {
    for (const { key, value } of this.#within(range)) yield [key.slice(), value.slice()]
  }

  async write(ops: readonly KvOp[]): Promise<void> {
    this.apply(ops)
  }

  /** Writes synchronously. An operation with the value undefined deletes the key. */
  apply(ops: readonly KvOp[]): void {
    for (const { key, value } of ops) {
      const name = nameOf(key)
      if (value === undefined) this.#entries.delete(name)
      else this.#entries.set(name, { key: key.slice(), value: value.slice() })
    }
  }

  /** A database with the same content, independent of this one. */
  clone(): MemoryKv {
    const copy = new MemoryKv()
    copy.#entries = this.#entries.clone()
    return copy
  }

  /** Collects all entries at once, because the tree must not change while it is iterated. */
  #within({ from, to, reverse = false, limit = Number.POSITIVE_INFINITY }: Range): readonly Entry[] {
    const found: Entry[] = []
    if (limit <= 0) return found
    const [first, end] = [nameOf(from), nameOf(to)]
    if (reverse) {
      for (const [name, entry] of this.#entries.entriesReversed(end, undefined, true)) {
        if (name < first || found.length === limit) break
        found.push(entry)
      }
    } else {
      // The library's getRange returns one entry more than its limit.
      this.#entries.forRange(first, end, false, (_, entry) => (found.push(entry) < limit ? undefined : STOP))
    }
    return found
  }
}

/** Ends an iteration of the tree. */
const STOP = { break: true }

const nameOf = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
