import { bytesToHex, type Hex } from '@quoin/protocol'
import type { StateChange } from '../state/journal.ts'
import type { KvReader } from '../state/kv.ts'
import { prefixOf } from './overrides.ts'

type Value = Uint8Array | undefined

/** The state after a simulated block: the chain's state, with what the simulated blocks have written over it. */
export class SimulatedState implements KvReader {
  readonly #chain: KvReader
  /** By database key. Undefined for a removed entry. */
  readonly #written = new Map<Hex, Value>()
  /** Prefixes of database keys whose entries in the chain's state are gone. */
  readonly #replaced = new Set<Hex>()

  constructor(chain: KvReader) {
    this.#chain = chain
  }

  get(flatKey: Uint8Array): Value {
    const name = bytesToHex(flatKey)
    const written = this.#written.get(name)
    if (written !== undefined || this.#written.has(name)) return written
    return this.#replaced.size > 0 && this.#replaced.has(prefixOf(flatKey)) ? undefined : this.#chain.get(flatKey)
  }

  /** Removes all entries whose keys have one of these prefixes, also those that simulated blocks have written. */
  replace(prefixes: ReadonlySet<Hex>): void {
    for (const prefix of prefixes) {
      this.#replaced.add(prefix)
      for (const name of this.#written.keys()) if (name.startsWith(prefix)) this.#written.delete(name)
    }
  }

  /** Adds what a block has changed. */
  write(changes: readonly StateChange[]): void {
    for (const { flatKey, after } of changes) this.#written.set(bytesToHex(flatKey), after)
  }
}
