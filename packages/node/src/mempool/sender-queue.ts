import type { Address, SignedTransaction } from '@quoin/protocol'

/** A waiting transaction with what the pool knows of it. */
export interface PoolEntry {
  readonly transaction: SignedTransaction
  /** Order of arrival. */
  readonly sequence: number
  readonly arrivedMs: number
  /** The least gas that it uses: what it costs before anything runs. */
  readonly gasMin: number
  /** What it takes of the pool: its bytes, or its part of the count, whichever is more. */
  readonly weight: number
}

/**
 * One sender's waiting transactions by nonce. The *executable* ones run without a gap from the account's nonce on; the rest is
 * *queued*.
 */
export class SenderQueue {
  readonly sender: Address
  /** Order of arrival of senders. */
  readonly arrival: number
  readonly #entries = new Map<number, PoolEntry>()
  #accountNonce: number
  /** First nonce from the account's on that is missing here. */
  #gap: number
  /** Nonces above the gap, in order. */
  #queued: number[] = []
  #weight = 0
  /** Since the last block, and their bytes. */
  replacements = 0
  replacedBytes = 0
  /** Gas that the sender used in recent blocks. */
  use = 0
  /** The last block that held a transaction of the sender, as `SenderUse` counts; 0 for none lately. */
  served = 0
  /**
   * Of the first executable entry, where there is one. A builder looks at all senders, and would wait for memory at each entry: 50,000 of them take 11 ms
   * instead of one.
   */
  firstGasLimit = 0
  firstBytes = 0
  firstSequence = 0
  /** Wei a unit of gas, as near as a number comes. */
  firstFeeCap = 0
  firstTip = 0
  /** Position in the ranking that the queue is in. */
  place = -1
  /** No entry can take more than this from the sender's balance. Falls only when the queue is empty. */
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

  /** Of all its transactions. */
  get weight(): number {
    return this.#weight
  }

  /** How many transactions the sender has sent in its life. */
  get accountNonce(): number {
    return this.#accountNonce
  }

  get executableCount(): number {
    return this.#gap - this.#accountNonce
  }

  get queuedCount(): number {
    return this.#queued.length
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

  forgetReplacements(): void {
    this.replacements = 0
    this.replacedBytes = 0
  }

  /** Puts a transaction at its nonce, in the place of another where there is one. */
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

  /** Moves to the account's new nonce, which is above the one before, and returns what can never run now. */
  advance(accountNonce: number): readonly PoolEntry[] {
    const stale: PoolEntry[] = []
    // What is overtaken and executable lies without a gap from the old nonce on.
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

  /** The executable entry behind an executable one. */
  after({ transaction: { nonce } }: PoolEntry): PoolEntry | undefined {
    return nonce + 1 < this.#gap ? this.#entries.get(nonce + 1) : undefined
  }

  /** The executable entries in the order of their nonces. */
  *executable(): Generator<PoolEntry> {
    for (let entry = this.first(); entry !== undefined; entry = this.after(entry)) yield entry
  }

  /** The entries behind a missing nonce, in the order of their nonces. */
  queued(): readonly PoolEntry[] {
    return this.#queued.map((nonce) => this.#entries.get(nonce)!)
  }

  /** All entries in the order of their nonces. */
  all(): readonly PoolEntry[] {
    return [...this.executable(), ...this.queued()]
  }

  /** The entry that is least missed: the one with the highest nonce, so that a queued one goes before those that can run. */
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

  /** How many queued nonces are below this one. */
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
