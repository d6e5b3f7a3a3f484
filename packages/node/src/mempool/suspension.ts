import type { Hash } from '@quoin/protocol'
import { POOL_LIMITS } from './limits.ts'

/**
 * Transactions that stay out of this node's blocks for some heights. In memory only: a restart takes longer than that, and empties the
 * pool. At the limit the oldest are dropped first.
 */
export class Suspension {
  /** The last height from which a transaction is excluded. The one suspended longest ago comes first. */
  readonly #until = new Map<Hash, number>()

  has(transaction: Hash): boolean {
    return this.#until.has(transaction)
  }

  /** Suspends transactions until the block of height `until` is final. */
  add(transactions: readonly Hash[], until: number): void {
    for (const transaction of transactions) {
      this.#until.delete(transaction)
      this.#until.set(transaction, until)
    }
    for (const transaction of this.#until.keys()) {
      if (this.#until.size <= POOL_LIMITS.suspendedMax) break
      this.#until.delete(transaction)
    }
  }

  /** Call this when a block is final. */
  onHeight(height: number): void {
    for (const [transaction, until] of this.#until) {
      if (until <= height) this.#until.delete(transaction)
    }
  }
}
