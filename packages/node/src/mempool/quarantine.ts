import type { Hash } from '@quoin/protocol'
import { POOL_LIMITS } from './limits.ts'

/** Transactions that must not be tried again for a number of heights. The oldest are forgotten first when the bound is reached. */
export class Quarantine {
  /** Hash to the height at which it ends. */
  readonly #until = new Map<Hash, number>()
  #height = 0

  has(hash: Hash): boolean {
    return this.#until.has(hash)
  }

  add(hashes: readonly Hash[], heights: number): void {
    for (const hash of hashes) {
      this.#until.delete(hash)
      this.#until.set(hash, this.#height + heights)
    }
    for (const hash of this.#until.keys()) {
      if (this.#until.size <= POOL_LIMITS.quarantinedMax) break
      this.#until.delete(hash)
    }
  }

  onHeight(height: number): void {
    this.#height = height
    for (const [hash, until] of this.#until) {
      if (until <= height) this.#until.delete(hash)
    }
  }
}
