import type { MemoryKv } from '@quoin/platform'
import type { TimeSettings } from './chain-time.ts'
import { DEV_LIMITS } from './limits.ts'

/** A chain's state at some moment. */
export interface Snapshot {
  /** Must not be written to. */
  readonly kv: MemoryKv
  readonly time: TimeSettings
  /** Network encodings of the transactions in the pool. */
  readonly waiting: readonly Uint8Array[]
}

/** Snapshots by number, from 1 on. Going back to a snapshot removes it and all later ones, as anvil and Ganache do. */
export class Snapshots {
  readonly #byId = new Map<number, Snapshot>()
  #last = 0

  add(snapshot: Snapshot): number {
    this.#last++
    this.#byId.set(this.#last, snapshot)
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= DEV_LIMITS.snapshotsMax) break
      this.#byId.delete(oldest)
    }
    return this.#last
  }

  take(id: number): Snapshot | undefined {
    const snapshot = this.#byId.get(id)
    if (snapshot === undefined) return undefined
    for (const later of this.#byId.keys()) if (later >= id) this.#byId.delete(later)
    return snapshot
  }

  clear(): void {
    this.#byId.clear()
  }
}
