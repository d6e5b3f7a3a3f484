import type { Address, SignedTransaction } from '@quoin/protocol'

/** A pooled transaction with the pool's data about it. */
export interface PoolEntry {
  readonly transaction: SignedTransaction
  /** Order of arrival. */
  readonly sequence: number
  readonly arrivedMs: number
  /** The least gas that it can use: its intrinsic gas. */
  readonly gasMin: number
  /** Its share of the pool: its bytes, or its share of the count in bytes, whichever is more. */
  readonly weight: number
}

/**
 * One sender's pooled transactions by nonce. *Executable* transactions follow the account's nonce without a gap; the others are *queued*.
 */
export class SenderQueue {
  readonly sender: Address
  /** Order of arrival among senders. */
  readonly arrival: number
  readonly #entries = new Map<number, PoolEntry>()
  #accountNonce: number
  /** First nonce from the account's nonce on that is missing. */
  #gap: number
  /** Nonces above the gap, in order. */
  #queued: number[] = []
  #weight = 0
  /** Replacements since the last block, and their bytes. */
  replacements = 0
  replacedBytes = 0
  /** Gas that the sender used in recent blocks. */
  use = 0
  /** The last block with a transaction of the sender, numbered as in `SenderUse`; 0 if there is none recently. */
  served = 0
  /**
   * Copied from the first executable entry, if there is one. A builder looks at all senders, and would miss the CPU cache at each entry:
   * 50,000 of them take 11 ms instead of one.
   */
  firstGasLimit = 0
  firstBytes = 0
  firstSequence = 0
  /** Wei per unit of gas, as a floating-point number. */
  firstFeeCap = 0
  firstTip = 0
  /** Index in the ranking that contains the queue. */
  place = -1
  /** Upper bound of what any one entry can take from the sender's balance. Resets only when the queue is empty. */
  #costBound = 0n

  constructor(sender: Address, arrival: number, accountNonce: number) {
    this.sender = sender
    this.arrival = arrival
    this.#accountNonce = accountNonce
    this.#gap = accountNonce
  }

  get size(): number {
    return this.#entries.size
  }

  /** Total weight of its transactions. */
  get weight(): number {
    return this.#weight
  }

  /** Number of transactions that the sender has sent in its life. */
  get accountNonce(): number {
    return this.#accountNonce
  }

  get executableCount(): number {
    return this.#gap - this.#accountNonce
  }

  get queuedCount(): number {
    return this.#queued.length
  }

  /** The sender's next nonce after all executable transactions. */
  get nextNonce(): number {
    return this.#gap
  }

  get(nonce: number): PoolEntry | undefined {
    return this.#entries.get(nonce)
  }

  /** Whether this balance certainly covers each entry. */
  isCovered(balance: bigint): boolean {
    return this.#costBound <= balance
  }

  forgetReplacements(): void {
    this.replacements = 0
    this.replacedBytes = 0
  }

  /** Inserts a transaction; replaces the one with the same nonce, if any. */
  set(entry: PoolEntry, cost: bigint): void {
    const { nonce } = entry.transaction
    if (this.#entries.size === 0 || cost > this.#costBound) this.#costBound = cost
    const replaced = this.#entries.get(nonce)
    this.#entries.set(nonce, entry)
    this.#weight += entry.weight - (replaced?.weight ?? 0)
    if (replaced === undefined) this.#place(nonce)
    if (nonce === this.#accountNonce) this.#noteFirst()
  }

  #place(nonce: number): void {
    if (nonce !== this.#gap) {
      this.#queued.splice(this.#placeOf(nonce), 0, nonce)
      return
    }
    this.#gap++
    this.#closeGap()
  }

  delete(nonce: number): void {
    if (!this.#take(nonce)) return
    if (nonce >= this.#gap) {
      this.#queued.splice(this.#placeOf(nonce), 1)
      return
    }
    const behind = Array.from({ length: this.#gap - nonce - 1 }, (_, i) => nonce + 1 + i)
    this.#queued = [...behind, ...this.#queued]
    this.#gap = nonce
  }

  /** Moves to the account's new nonce, which is higher than before, and returns the entries that can never run now. */
  advance(accountNonce: number): readonly PoolEntry[] {
    const stale: PoolEntry[] = []
    // Executable entries that are passed follow the old nonce without a gap.
    for (let nonce = this.#accountNonce; nonce < Math.min(accountNonce, this.#gap); nonce++) stale.push(this.#entries.get(nonce)!)
    const passed = this.#placeOf(accountNonce)
    for (const nonce of this.#queued.splice(0, passed)) stale.push(this.#entries.get(nonce)!)
    for (const { transaction } of stale) this.#take(transaction.nonce)
    this.#accountNonce = accountNonce
    this.#gap = Math.max(this.#gap, accountNonce)
    this.#closeGap()
    this.#noteFirst()
    return stale
  }

  /** The executable entry with the lowest nonce. */
  first(): PoolEntry | undefined {
    return this.executableCount > 0 ? this.#entries.get(this.#accountNonce) : undefined
  }

  /** The executable entry after another executable one. */
  after({ transaction: { nonce } }: PoolEntry): PoolEntry | undefined {
    return nonce + 1 < this.#gap ? this.#entries.get(nonce + 1) : undefined
  }

  /** The executable entries, by nonce. */
  *executable(): Generator<PoolEntry> {
    for (let entry = this.first(); entry !== undefined; entry = this.after(entry)) yield entry
  }

  /** The entries behind a missing nonce, by nonce. */
  queued(): readonly PoolEntry[] {
    return this.#queued.map((nonce) => this.#entries.get(nonce)!)
  }

  /** All entries, by nonce. */
  all(): readonly PoolEntry[] {
    return [...this.executable(), ...this.queued()]
  }

  /** The entry to drop first: the one with the highest nonce, so queued entries go before executable ones. */
  last(): PoolEntry | undefined {
    return this.#entries.get(this.#queued.at(-1) ?? this.#gap - 1)
  }

  #noteFirst(): void {
    const first = this.first()
    if (first === undefined) return
    const { transaction, sequence } = first
    this.firstGasLimit = transaction.gasLimit
    this.firstBytes = transaction.raw.length
    this.firstSequence = sequence
    this.firstFeeCap = Number(transaction.maxFeePerGas)
    this.firstTip = Number(transaction.maxPriorityFeePerGas)
  }

  #take(nonce: number): boolean {
    const entry = this.#entries.get(nonce)
    if (entry === undefined) return false
    this.#weight -= entry.weight
    return this.#entries.delete(nonce)
  }

  #closeGap(): void {
    let closed = 0
    while (this.#queued[closed] === this.#gap) {
      this.#gap++
      closed++
    }
    this.#queued.splice(0, closed)
  }

  /** Number of queued nonces below this one. */
  #placeOf(nonce: number): number {
    let [from, to] = [0, this.#queued.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (this.#queued[middle]! < nonce) from = middle + 1
      else to = middle
    }
    return from
  }
}
