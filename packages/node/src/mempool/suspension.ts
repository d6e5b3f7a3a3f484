import type { Hash } from '@quoin/protocol'
import { POOL_LIMITS } from './limits.ts'

/**
 * Transactions that stay out of this node's blocks for some heights. In memory only: a restart takes longer, and empties the pool. The
 * oldest are forgotten first when the bound is reached.
 */
export class Suspension {
  /** The last height that a transaction stays out of; the one suspended longest ago first. */
  readonly #until = new Map<Hash, number>()

  has(transaction: Hash): boolean {
    return this.#until.has(transaction)
  }

  /** Until the block of a height is final. */
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

  /** A block is final. */
  onHeight(height: number): void {
    for (const [transaction, until] of this.#until) {
      if (until <= height) this.#until.delete(transaction)
    }
  }
}
