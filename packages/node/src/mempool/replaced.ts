import type { Hash } from '@quoin/protocol'
import { POOL_LIMITS } from './limits.ts'

/**
 * Transactions that were replaced. Where gas is free, a transaction with equal fees replaces another, so two transactions with one nonce
 * could replace each other forever, and each time the node would admit and gossip one. At the limit the oldest are dropped first.
 */
export class Replaced {
  readonly #hashes = new Set<Hash>()

  has(transaction: Hash): boolean {
    return this.#hashes.has(transaction)
  }

  add(transaction: Hash): void {
    this.#hashes.delete(transaction)
    this.#hashes.add(transaction)
    if (this.#hashes.size <= POOL_LIMITS.replacedMax) return
    const [oldest] = this.#hashes
    this.#hashes.delete(oldest!)
  }
}
