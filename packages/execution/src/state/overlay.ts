import { bytesToHex, type Hex } from '@quoin/protocol'
import type { StateChange } from './journal.ts'
import type { KvReader } from './kv.ts'

/** A state with changes over it: the state within a block, before one of its transactions. */
export class Overlay implements KvReader {
  readonly #below: KvReader
  /** By database key; undefined for a key that was deleted. */
  readonly #changed = new Map<Hex, Uint8Array | undefined>()

  constructor(below: KvReader) {
    this.#below = below
  }

  get(flatKey: Uint8Array): Uint8Array | undefined {
    const name = bytesToHex(flatKey)
    return this.#changed.has(name) ? this.#changed.get(name) : this.#below.get(flatKey)
  }

  apply(changes: readonly StateChange[]): void {
    for (const { flatKey, after } of changes) this.#changed.set(bytesToHex(flatKey), after)
  }
}
