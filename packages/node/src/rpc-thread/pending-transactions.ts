import type { Hash, SignedTransaction } from '@quoin/protocol'
import { Lru } from '../lru.ts'
import type { Admitted } from './messages.ts'
import { LINK_LIMITS, type NodeLink, nodeIsBusy } from './node-link.ts'

export const PENDING_LIMITS = {
  /** Transactions that are requested from the node concurrently. At the maximum size of a transaction, the answers take 8 MiB. */
  asksMax: 32,
  /** Cache of transactions that the node has sent. */
  keptBytesMax: 16 * 1024 * 1024,
} as const

/** Overhead of a cached transaction, beyond its bytes. */
const ENTRY_BYTES = 1_024
/** Copies of a transaction's bytes: raw, decoded, and as JSON in hex, which counts twice. */
const COPIES = 4

/**
 * Transactions of the node's pool, shared by all calls. For each transaction there is at most one pending question to the node. If the
 * transaction is cached here, the node only confirms that it still has it, without sending it again. Each one is decoded once.
 */
export class PendingTransactions {
  readonly #link: Pick<NodeLink, 'ask'>
  readonly #decode: (admitted: Admitted) => SignedTransaction
  /** Cache by hash. An entry stays valid even if the pool has dropped the transaction. */
  readonly #kept = new Lru<Hash, SignedTransaction>(PENDING_LIMITS.keptBytesMax)
  readonly #asked = new Map<Hash, Promise<SignedTransaction | undefined>>()
  readonly #held: (() => void)[] = []
  #asks = 0

  constructor(link: Pick<NodeLink, 'ask'>, decode: (admitted: Admitted) => SignedTransaction) {
    this.#link = link
    this.#decode = decode
  }

  /** Asks for a transaction. Rejects with RpcError if too many are requested. */
  get(hash: Hash): Promise<SignedTransaction | undefined> {
    const asked = this.#asked.get(hash)
    if (asked !== undefined) return asked
    if (this.#held.length >= LINK_LIMITS.questionsMax) return Promise.reject(nodeIsBusy(this.#held.length))
    const asking = this.#ask(hash)
    this.#asked.set(hash, asking)
    return asking
  }

  clear(): void {
    this.#kept.clear()
  }

  async #ask(hash: Hash): Promise<SignedTransaction | undefined> {
    if (this.#asks < PENDING_LIMITS.asksMax) this.#asks++
    else await new Promise<void>((resolve) => this.#held.push(resolve))
    try {
      const kept = this.#kept.get(hash)
      const found = await this.#link.ask<'transaction'>({ kind: 'transaction', hash, isKnown: kept !== undefined })
      if (found === 'known') return kept
      if (found === undefined) return undefined
      const transaction = this.#decode(found)
      this.#kept.set(hash, transaction, ENTRY_BYTES + COPIES * found.raw.length)
      return transaction
    } finally {
      // Later calls must ask again, because they may have submitted the transaction in the meantime.
      this.#asked.delete(hash)
      const next = this.#held.shift()
      if (next === undefined) this.#asks--
      else next()
    }
  }
}
