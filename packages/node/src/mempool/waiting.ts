import type { Address, Hash, SignedTransaction } from '@quoin/protocol'
import { Holders, type Newcomers } from './holders.ts'
import { POOL_LIMITS } from './limits.ts'
import type { SenderUse } from './recent-use.ts'
import { type PoolEntry, SenderQueue } from './sender-queue.ts'

/** Account data of a sender in the state. */
interface SenderAccount {
  readonly nonce: number
  readonly balance: bigint
}

/** Capacity of the pool. */
export type PoolBounds = Readonly<Record<'transactionsMax' | 'bytesMax', number>>

/** The pooled transactions by hash and by sender, and how much of the pool each sender takes. */
export class Waiting {
  /** In order of arrival; replacements move to the end. */
  readonly #byHash = new Map<Hash, PoolEntry>()
  /** In order of the senders' arrival, so every walk over them is deterministic. */
  readonly #queues = new Map<Address, SenderQueue>()
  readonly #holders = new Holders()
  readonly #useOf: (sender: Address) => SenderUse
  readonly #bounds: PoolBounds
  #bytes = 0
  #executable = 0
  #arrivals = 0

  /** @param useOf returns the recent use of a sender */
  constructor(useOf: (sender: Address) => SenderUse, bounds: PoolBounds = POOL_LIMITS) {
    this.#useOf = useOf
    this.#bounds = bounds
  }

  get count(): number {
    return this.#byHash.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get executableCount(): number {
    return this.#executable
  }

  get newcomers(): Newcomers {
    return this.#holders.newcomers
  }

  get(hash: Hash): PoolEntry | undefined {
    return this.#byHash.get(hash)
  }

  entries(): Iterable<PoolEntry> {
    return this.#byHash.values()
  }

  queue(sender: Address): SenderQueue | undefined {
    return this.#queues.get(sender)
  }

  queues(): ReadonlyMap<Address, SenderQueue> {
    return this.#queues
  }

  /** Inserts a transaction; replaces the one with the same nonce, if any. `cost` is the most that it can take from its sender's balance. */
  insert(arrived: Omit<PoolEntry, 'weight'>, account: SenderAccount, cost: bigint): void {
    const { transaction } = arrived
    const entry = { ...arrived, weight: this.#weightOf(transaction) }
    const queue = this.#queues.get(transaction.sender) ?? this.#begin(transaction.sender, account)
    const replaced = queue.get(transaction.nonce)?.transaction
    if (replaced !== undefined) this.#forget(replaced)
    this.#byHash.set(transaction.hash, entry)
    this.#bytes += transaction.raw.length
    this.#change(queue, () => queue.set(entry, cost))
  }

  remove(transaction: SignedTransaction): void {
    const queue = this.#queues.get(transaction.sender)
    if (queue === undefined || !this.#byHash.has(transaction.hash)) return
    this.#forget(transaction)
    this.#change(queue, () => queue.delete(transaction.nonce))
  }

  /** Moves a sender to its account's new nonce; drops transactions with lower nonces. */
  advance(queue: SenderQueue, nonce: number): void {
    for (const { transaction } of this.#change(queue, () => queue.advance(nonce))) this.#forget(transaction)
  }

  /** These accounts are no longer newcomers. */
  know(accounts: Iterable<Address>): void {
    for (const account of accounts) {
      if (this.newcomers.size === 0) return
      const queue = this.#queues.get(account)
      if (queue !== undefined) this.#holders.know(queue)
    }
  }

  /** The recent use of these senders has changed. */
  useChanged(senders: Iterable<Address>, newcomersUse: Pick<SenderUse, 'gas' | 'served'>): void {
    for (const sender of senders) {
      const queue = this.#queues.get(sender)
      if (queue === undefined) continue
      this.#noteUse(queue)
      this.#holders.update(queue, queue.weight)
    }
    this.#holders.setNewcomersUse(newcomersUse)
  }

  /**
   * Makes room for a transaction in a full pool by dropping others. Returns false if that is not allowed: its sender (or the newcomers, if
   * it is one) would hold more than anybody else.
   *
   * @param always the transaction gets room in any case, at the cost of whoever holds most
   */
  makeRoom(transaction: SignedTransaction, { nonce, balance }: SenderAccount, always = false): boolean {
    const { sender, raw } = transaction
    const queue = this.#queues.get(sender)
    const replaced = queue?.get(transaction.nonce)
    const isFull = (): boolean =>
      this.count + (replaced === undefined ? 1 : 0) > this.#bounds.transactionsMax ||
      this.#bytes + raw.length - (replaced?.transaction.raw.length ?? 0) > this.#bounds.bytesMax
    if (!isFull()) return true
    const request = {
      queue,
      isNewcomer: queue === undefined ? this.#isNewcomer(sender, { nonce, balance }) : this.newcomers.has(queue),
      weight: this.#weightOf(transaction) - (replaced?.weight ?? 0),
      // A replacement takes no room from the sender's other transactions.
      isQueued: replaced !== undefined || transaction.nonce > (queue?.nextNonce ?? nonce),
    }
    const forced = always ? (request.isNewcomer ? 'newcomers' : 'others') : undefined
    const source = this.#holders.sourceFor(request) ?? forced
    while (source !== undefined) {
      const victim = this.#holders.victim(source, request)?.last()
      if (victim === undefined) return false
      this.remove(victim.transaction)
      if (!isFull()) return true
    }
    return false
  }

  #weightOf({ raw }: SignedTransaction): number {
    return Math.max(raw.length, Math.ceil(this.#bounds.bytesMax / this.#bounds.transactionsMax))
  }

  #begin(sender: Address, account: SenderAccount): SenderQueue {
    const queue = new SenderQueue(sender, this.#arrivals++, account.nonce)
    this.#noteUse(queue)
    this.#queues.set(sender, queue)
    if (this.#isNewcomer(sender, account)) this.#holders.addNewcomer(queue)
    return queue
  }

  #noteUse(queue: SenderQueue): void {
    const { gas, served } = this.#useOf(queue.sender)
    queue.use = gas
    queue.served = served
  }

  #isNewcomer(sender: Address, { nonce, balance }: SenderAccount): boolean {
    return (nonce === 0 && balance === 0n) || this.#useOf(sender).isYoung
  }

  #forget(transaction: SignedTransaction): void {
    this.#byHash.delete(transaction.hash)
    this.#bytes -= transaction.raw.length
  }

  /** Changes a queue and updates the totals. */
  #change<T>(queue: SenderQueue, change: () => T): T {
    const [executable, weight] = [queue.executableCount, queue.weight]
    const result = change()
    this.#executable += queue.executableCount - executable
    if (queue.size > 0) {
      this.#holders.update(queue, weight)
    } else {
      this.#holders.delete(queue, weight)
      this.#queues.delete(queue.sender)
    }
    return result
  }
}
