import { createRequire } from 'node:module'
import type { KvOp } from '@quoin/execution'
import type sortedBtree from 'sorted-btree'

// By require: what an import of this CommonJS module yields as its default differs between Node.js and vitest.
const require = createRequire(import.meta.url)
const { default: BTree, simpleComparator } = require('sorted-btree') as typeof sortedBtree

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Entries of a range: from `from` on, below `to`, in key order, or the last ones first if `reverse`; at most `limit`. */
interface Range {
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
}

/**
 * An ordered database in memory, with the order and the atomic writes of the one on disk: the node's `Kv`. For development and tests; keeps
 * its own copies. A clone costs nothing but what is written afterwards.
 */
export class MemoryKv {
  /** By a text with one character for each byte: as short as the key, equal only for equal keys, and in their order. */
  #entries = new BTree<string, Entry>(undefined, simpleComparator)

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
    const copy = new MemoryKv()
    copy.#entries = this.#entries.clone()
    return copy
  }

  /** All at once: the tree must not change while it is walked. */
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
      // The library's getRange yields one entry more than its limit.
      this.#entries.forRange(first, end, false, (_, entry) => (found.push(entry) < limit ? undefined : STOP))
    }
    return found
  }
}

/** Ends a walk of the tree. */
const STOP = { break: true }

const nameOf = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
