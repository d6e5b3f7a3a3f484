import { Ranking } from './ranking.ts'
import type { SenderUse } from './recent-use.ts'
import type { SenderQueue } from './sender-queue.ts'

/** A sender that the state knows, or all newcomers together. */
export interface Holder {
  readonly weight: number
  readonly use: number
  readonly arrival: number
  place: number
}

/**
 * Senders that the state does not know (no nonce, no balance), or that entered it by sending within the blocks whose gas use counts. Keys
 * cost nothing, so all newcomers together count as one sender.
 */
export class Newcomers implements Holder {
  /** Ranks before every sender. */
  readonly arrival = -1
  readonly #members = new Set<SenderQueue>()
  readonly #ranking = new Ranking<SenderQueue>(losesBeforeMember)
  #weight = 0
  use = 0
  /** The last block with a transaction of a newcomer; 0 if there is none in the blocks that count. */
  served = 0
  place = -1

  get size(): number {
    return this.#members.size
  }

  get weight(): number {
    return this.#weight
  }

  has(queue: SenderQueue): boolean {
    return this.#members.has(queue)
  }

  /** In order of arrival. */
  [Symbol.iterator](): IterableIterator<SenderQueue> {
    return this.#members.values()
  }

  /** Adds a member, or updates one whose transactions changed. `weightBefore` is its weight before the change. */
  update(queue: SenderQueue, weightBefore: number): void {
    this.#members.add(queue)
    this.#weight += queue.weight - weightBefore
    this.#ranking.update(queue)
  }

  delete(queue: SenderQueue, weightBefore: number): void {
    this.#members.delete(queue)
    this.#weight -= weightBefore
    this.#ranking.delete(queue)
  }

  /** The member, other than `queue`, that loses a transaction first. */
  firstBut(queue: SenderQueue | undefined): SenderQueue | undefined {
    return this.#ranking.firstBut(queue)
  }
}

/** A transaction's request for room in the pool. */
export interface Request {
  readonly isNewcomer: boolean
  /** Transactions that its sender already has in the pool. */
  readonly queue: SenderQueue | undefined
  /** Increase of the sender's weight. */
  readonly weight: number
  /** Whether an earlier nonce is missing. */
  readonly isQueued: boolean
}

/** Whose transactions are dropped to make room. */
export type Source = 'others' | 'newcomers' | 'itself'

/** Tracks how much of the pool each sender holds, and decides who loses transactions when the pool is full. */
export class Holders {
  readonly newcomers = new Newcomers()
  readonly #ranking = new Ranking<Holder>(losesBefore)

  /** Call this when the queue's transactions or its sender's use changed, or the queue is new. */
  update(queue: SenderQueue, weightBefore: number): void {
    if (!this.newcomers.has(queue)) return this.#ranking.update(queue)
    this.newcomers.update(queue, weightBefore)
    this.#ranking.update(this.newcomers)
  }

  /** Adds the queue of a newcomer. */
  addNewcomer(queue: SenderQueue): void {
    this.newcomers.update(queue, 0)
    this.#ranking.update(this.newcomers)
  }

  /** Call this when the queue is empty. */
  delete(queue: SenderQueue, weightBefore: number): void {
    if (!this.newcomers.has(queue)) return this.#ranking.delete(queue)
    this.newcomers.delete(queue, weightBefore)
    this.#ranking.update(this.newcomers)
  }

  /** The sender is no longer a newcomer. */
  know(queue: SenderQueue): void {
    if (!this.newcomers.has(queue)) return
    this.delete(queue, queue.weight)
    this.#ranking.update(queue)
  }

  setNewcomersUse({ gas, served }: Pick<SenderUse, 'gas' | 'served'>): void {
    this.newcomers.use = gas
    this.newcomers.served = served
    this.#ranking.update(this.newcomers)
  }

  /**
   * Decides from whom a full pool takes the room for a transaction. First choice: a sender that holds at least as much as this sender would
   * hold. Second: if all newcomers together hold the most, another newcomer that holds more. Third: transactions of the sender itself that
   * cannot run yet. Undefined: this sender holds the most. A newcomer that holds the same amount keeps its place; otherwise the next key of
   * a flood would push out a newcomer that was told that its transaction is in the pool.
   */
  sourceFor({ isNewcomer, queue, weight, isQueued }: Request): Source | undefined {
    const holder = isNewcomer ? this.newcomers : queue
    const most = this.#ranking.firstBut(holder)
    if (most !== undefined && (holder?.weight ?? 0) + weight <= most.weight) return 'others'
    const member = isNewcomer ? this.newcomers.firstBut(queue) : undefined
    if (member !== undefined) {
      const queued = (queue?.queuedCount ?? 0) + Number(isQueued)
      const isMore = member.queuedCount - queued || member.weight - (queue?.weight ?? 0) - weight
      if (isMore > 0) return 'newcomers'
    }
    return !isQueued && (queue?.queuedCount ?? 0) > 0 ? 'itself' : undefined
  }

  /** The queue that loses its last transaction next. Undefined: this source has nothing left. */
  victim(source: Source, { isNewcomer, queue }: Pick<Request, 'isNewcomer' | 'queue'>): SenderQueue | undefined {
    if (source === 'itself') return queue !== undefined && queue.queuedCount > 0 ? queue : undefined
    if (source === 'newcomers') return this.newcomers.firstBut(queue)
    const most = this.#ranking.firstBut(isNewcomer ? this.newcomers : queue)
    return most instanceof Newcomers ? most.firstBut(undefined) : (most as SenderQueue | undefined)
  }
}

/** The holder with more weight loses first; then the one with more use; then the one that arrived later. */
function losesBefore(a: Holder, b: Holder): boolean {
  const difference = a.weight - b.weight || a.use - b.use || a.arrival - b.arrival
  return difference > 0
}

/** Among newcomers, those whose transactions cannot run lose first. */
function losesBeforeMember(a: SenderQueue, b: SenderQueue): boolean {
  const difference = a.queuedCount - b.queuedCount || a.weight - b.weight || a.arrival - b.arrival
  return difference > 0
}
