import { bytesToHex, compareBytes, hexToBytes } from '@quoin/protocol'
import type { KvOp } from '../src/state/kv.ts'
import type { TreeKv } from '../src/state/tree/index.ts'

/** Ordered database in memory. It returns and keeps copies, as a real database does. */
export class MemoryKv implements TreeKv {
  readonly #entries = new Map<string, Uint8Array>()

  get size(): number {
    return this.#entries.size
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(bytesToHex(key))?.slice()
  }

  async *scan({ from, to }: { readonly from: Uint8Array; readonly to: Uint8Array }) {
    for (const name of [...this.#entries.keys()].toSorted()) {
      const key = hexToBytes(name as `0x${string}`)
      if (compareBytes(key, from) >= 0 && compareBytes(key, to) < 0) yield [key, this.#entries.get(name)!.slice()] as const
    }
  }

  write(ops: readonly KvOp[]): void {
    for (const { key, value } of ops) {
      if (value === undefined) this.#entries.delete(bytesToHex(key))
      else this.#entries.set(bytesToHex(key), value.slice())
    }
  }

  /** All keys with one prefix, as hex. */
  keys(prefix: string): string[] {
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix)).toSorted()
  }

  /** A database with the same content, independent of this one. */
  clone(): MemoryKv {
    const copy = new MemoryKv()
    for (const [key, value] of this.#entries) copy.#entries.set(key, value)
    return copy
  }
}
