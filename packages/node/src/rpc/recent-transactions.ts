import type { Hash, SignedTransaction } from '@quoin/protocol'
import type { Source } from './hub.ts'

type Follow = (listener: (transaction: SignedTransaction) => void) => () => void

/** Number of transactions that are remembered whole, not only by hash. */
const WHOLE_MAX = 2_048

/**
 * Numbered hashes of the transactions that the pool admitted recently, shared by all readers. The pool is followed only while there are
 * readers.
 */
export class RecentTransactions implements Source {
  readonly #countMax: number
  readonly #follow: Follow
  readonly #hashes: Hash[] = []
  readonly #whole: SignedTransaction[] = []
  readonly #listeners = new Set<() => void>()
  #next = 0
  #readers = 0
  #unfollow: (() => void) | undefined

  constructor(countMax: number, follow: Follow) {
    this.#countMax = countMax
    this.#follow = follow
  }

  /** Number of the next transaction. */
  get next(): number {
    return this.#next
  }

  /** Adds a reader, until the returned function is called. */
  read(): () => void {
    if (this.#readers++ === 0) this.#unfollow = this.#follow((transaction) => this.#add(transaction))
    let isReading = true
    return () => {
      if (!isReading) return
      isReading = false
      if (--this.#readers > 0) return
      this.close()
    }
  }

  /** Calls back after each added transaction, until the returned function is called. */
  onAdded(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #add(transaction: SignedTransaction): void {
    this.#hashes[this.#next % this.#countMax] = transaction.hash
    this.#whole[this.#next % WHOLE_MAX] = transaction
    this.#next++
    for (const listener of this.#listeners) listener()
  }

  /** Hashes from a number on, oldest first, as far as they are remembered. */
  since(number: number): readonly Hash[] {
    const hashes: Hash[] = []
    for (let n = Math.max(number, this.#next - this.#countMax); n < this.#next; n++)
      hashes.push(this.#hashes[n % this.#countMax]!)
    return hashes
  }

  /** The hash with a number; undefined if it is forgotten. */
  hashAt(number: number): Hash | undefined {
    return number < this.#next - this.#countMax ? undefined : this.#hashes[number % this.#countMax]
  }

  /** The transaction with a number; undefined if it is forgotten. */
  at(number: number): SignedTransaction | undefined {
    return number < this.#next - WHOLE_MAX ? undefined : this.#whole[number % WHOLE_MAX]
  }

  close(): void {
    this.#unfollow?.()
    this.#unfollow = undefined
    this.#whole.length = 0
  }
}
