import type { KvOp } from '@quoin/execution'
import { compareBytes } from '@quoin/protocol'
import type { Kv, KvRange } from '../powers.ts'

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A `Kv` in memory, with the order and the atomic writes of the one on disk. For tests and tools; keeps its own copies. */
export class MemoryKv implements Kv {
  readonly #entries = new Map<string, Entry>()
  /** Entries in key order; undefined after a write. */
  #sorted: readonly Entry[] | undefined

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(nameOf(key))?.value.slice()
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return keys.map((key) => this.get(key))
  }

  async *scan({ from, to, reverse = false, limit }: KvRange): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    const inRange = this.#order().filter(({ key }) => compareBytes(key, from) >= 0 && compareBytes(key, to) < 0)
    if (reverse) inRange.reverse()
    for (const { key, value } of inRange.slice(0, limit)) yield [key.slice(), value.slice()]
  }

  async write(ops: readonly KvOp[]): Promise<void> {
    this.apply(ops)
  }

  /** The write without its promise. */
  apply(ops: readonly KvOp[]): void {
    for (const { key, value } of ops) {
      if (value === undefined) this.#entries.delete(nameOf(key))
      else this.#entries.set(nameOf(key), { key: key.slice(), value: value.slice() })
    }
    this.#sorted = undefined
  }

  /** A database with the same content, independent of this one. */
  clone(): MemoryKv {
    const copy = new MemoryKv()
    for (const [name, entry] of this.#entries) copy.#entries.set(name, entry)
    return copy
  }

  #order(): readonly Entry[] {
    this.#sorted ??= [...this.#entries.values()].sort((a, b) => compareBytes(a.key, b.key))
    return this.#sorted
  }
}

/** One character a byte: as short as the key, and equal only for equal keys. */
const nameOf = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
