import type { SignedTransaction } from '@quoin/protocol'

/** A waiting transaction with what the pool knows of it. */
export interface PoolEntry {
  readonly transaction: SignedTransaction
  /** Order of arrival. */
  readonly sequence: number
  readonly arrivedMs: number
}

/**
 * One sender's waiting transactions by nonce. The *executable* ones run without a gap from the account's nonce on; the rest is
 * *queued*.
 */
export class SenderQueue {
  readonly #entries = new Map<number, PoolEntry>()
  #accountNonce: number
  /** First nonce from the account's on that is missing here. */
  #gap: number
  replacements = 0
  /** No entry can take more than this from the sender's balance. Falls only when the queue is empty. */
  #costBound = 0n

  constructor(accountNonce: number) {
    this.#accountNonce = accountNonce
    this.#gap = accountNonce
  }

  get size(): number {
    return this.#entries.size
  }

  get executableCount(): number {
    return this.#gap - this.#accountNonce
  }

  get queuedCount(): number {
    return this.size - this.executableCount
  }

  /** The sender's next nonce after everything that can run. */
  get nextNonce(): number {
    return this.#gap
  }

  get(nonce: number): PoolEntry | undefined {
    return this.#entries.get(nonce)
  }

  /** Whether every entry can surely be paid from this balance. */
  isCovered(balance: bigint): boolean {
    return this.#costBound <= balance
  }

  set(entry: PoolEntry, cost: bigint): void {
    if (this.#entries.size === 0 || cost > this.#costBound) this.#costBound = cost
    this.#entries.set(entry.transaction.nonce, entry)
    this.#closeGap()
  }

  delete(nonce: number): void {
    if (this.#entries.delete(nonce) && nonce < this.#gap) this.#gap = Math.max(nonce, this.#accountNonce)
  }

  /** Moves to the account's new nonce and returns what can never run now. */
  advance(accountNonce: number): readonly PoolEntry[] {
    const stale: PoolEntry[] = []
    if (accountNonce <= this.#gap) {
      // What is overtaken was executable: it lies without a gap from the old nonce on.
      for (let nonce = this.#accountNonce; nonce < accountNonce; nonce++) stale.push(this.#entries.get(nonce)!)
    } else {
      for (const [nonce, entry] of this.#entries) if (nonce < accountNonce) stale.push(entry)
    }
    for (const { transaction } of stale) this.#entries.delete(transaction.nonce)
    this.#accountNonce = accountNonce
    if (accountNonce > this.#gap) this.#gap = accountNonce
    this.#closeGap()
    return stale
  }

  /** The executable entries in the order of their nonces. */
  *executable(): Generator<PoolEntry> {
    for (let nonce = this.#accountNonce; nonce < this.#gap; nonce++) yield this.#entries.get(nonce)!
  }

  /** All entries in the order of their nonces. */
  all(): readonly PoolEntry[] {
    return [...this.#entries.values()].sort((a, b) => a.transaction.nonce - b.transaction.nonce)
  }

  /** The entry that is least missed: the one with the highest nonce. */
  last(): PoolEntry | undefined {
    let last: PoolEntry | undefined
    for (const entry of this.#entries.values()) {
      if (last === undefined || entry.transaction.nonce > last.transaction.nonce) last = entry
    }
    return last
  }

  #closeGap(): void {
    while (this.#entries.has(this.#gap)) this.#gap++
  }
}
