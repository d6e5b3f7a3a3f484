import type { Hash } from '@quoin/protocol'
import { POOL_LIMITS } from './limits.ts'

/**
 * Transactions that others have replaced. Where gas is free equal fees replace, so that two of one nonce could replace each other for ever, each time as a
 * transaction that this node admits. The oldest are forgotten first when the bound is reached.
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
