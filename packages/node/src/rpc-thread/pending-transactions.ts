import type { Hash, SignedTransaction } from '@quoin/protocol'
import { Lru } from '../lru.ts'
import type { Admitted } from './messages.ts'
import { LINK_LIMITS, type NodeLink, nodeIsBusy } from './node-link.ts'

export const PENDING_LIMITS = {
  /** Transactions that the node is asked for at a time. Each may be as large as any: 8 MiB of answers. */
  asksMax: 32,
  /** What is remembered of those that it answered with. */
  keptBytesMax: 16 * 1024 * 1024,
} as const

/** Of a transaction that is remembered, beside its bytes. */
const ENTRY_BYTES = 1_024
/** Its bytes, decoded, and as JSON in hex. */
const COPIES = 4

/**
 * Transactions of the node's pool, for many who ask for the same ones. However many do, the node is asked once at a time for each, and copies
 * one that is remembered here no second time: it says that it still has it. What it answers with is decoded once.
 */
export class PendingTransactions {
  readonly #link: Pick<NodeLink, 'ask'>
  readonly #decode: (admitted: Admitted) => SignedTransaction
  /** A hash stands for one transaction, whether the pool has it or not. */
  readonly #kept = new Lru<Hash, SignedTransaction>(PENDING_LIMITS.keptBytesMax)
  readonly #asked = new Map<Hash, Promise<SignedTransaction | undefined>>()
  readonly #held: (() => void)[] = []
  #asks = 0

  constructor(link: Pick<NodeLink, 'ask'>, decode: (admitted: Admitted) => SignedTransaction) {
    this.#link = link
    this.#decode = decode
  }

  /** Rejects with RpcError when too many are asked for. */
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
      // Whoever asks from now on may have sent something meanwhile.
      this.#asked.delete(hash)
      const next = this.#held.shift()
      if (next === undefined) this.#asks--
      else next()
    }
  }
}
