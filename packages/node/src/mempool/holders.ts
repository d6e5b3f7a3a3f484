import { Ranking } from './ranking.ts'
import type { SenderUse } from './recent-use.ts'
import type { SenderQueue } from './sender-queue.ts'

/** A sender that the state knows, or the newcomers together. */
export interface Holder {
  readonly weight: number
  readonly use: number
  readonly arrival: number
  place: number
}

/**
 * Senders that the state does not know (no nonce, no balance), or that came into it by sending within the blocks whose use counts. Keys cost nothing, so that all of
 * them count as one sender.
 */
export class Newcomers implements Holder {
  /** Before every sender. */
  readonly arrival = -1
  readonly #members = new Set<SenderQueue>()
  readonly #ranking = new Ranking<SenderQueue>(losesBeforeMember)
  #weight = 0
  use = 0
  /** The last block that held a transaction of one of them; 0 for none lately. */
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

  /** In the order in which they came. */
  [Symbol.iterator](): IterableIterator<SenderQueue> {
    return this.#members.values()
  }

  /** A member came, or its transactions changed; `weightBefore` is its own before that. */
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

  /** Who gives way first, but for one. */
  firstBut(queue: SenderQueue | undefined): SenderQueue | undefined {
    return this.#ranking.firstBut(queue)
  }
}

/** What a transaction asks room for. */
export interface Request {
  readonly isNewcomer: boolean
  /** What its sender has in the pool already. */
  readonly queue: SenderQueue | undefined
  /** By which the sender's weight grows. */
  readonly weight: number
  /** Whether a nonce before it is missing. */
  readonly isQueued: boolean
}

/** From whom room is taken. */
export type Source = 'others' | 'newcomers' | 'itself'

/** Who holds how much of the pool, and who gives way when it is full. */
export class Holders {
  readonly newcomers = new Newcomers()
  readonly #ranking = new Ranking<Holder>(losesBefore)

  /** The queue's transactions or its sender's use changed, or it is new. */
  update(queue: SenderQueue, weightBefore: number): void {
    if (!this.newcomers.has(queue)) return this.#ranking.update(queue)
    this.newcomers.update(queue, weightBefore)
    this.#ranking.update(this.newcomers)
  }

  /** A queue of a newcomer. */
  addNewcomer(queue: SenderQueue): void {
    this.newcomers.update(queue, 0)
    this.#ranking.update(this.newcomers)
  }

  /** The queue is empty. */
  delete(queue: SenderQueue, weightBefore: number): void {
    if (!this.newcomers.has(queue)) return this.#ranking.delete(queue)
    this.newcomers.delete(queue, weightBefore)
    this.#ranking.update(this.newcomers)
  }

  /** A newcomer is none any more. */
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
   * From whom a full pool takes the room for a transaction: from whoever holds more than its sender would then, else from another newcomer that holds
   * more where all newcomers together hold the most, else from what the sender itself cannot run. Undefined: its sender holds the most. A newcomer that holds
   * the same keeps its place, or the next key of a flood would have the place of whoever came last and was told that it is in.
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

  /** Whose last transaction goes next. Undefined: nothing is left there. */
  victim(source: Source, { isNewcomer, queue }: Pick<Request, 'isNewcomer' | 'queue'>): SenderQueue | undefined {
    if (source === 'itself') return queue !== undefined && queue.queuedCount > 0 ? queue : undefined
    if (source === 'newcomers') return this.newcomers.firstBut(queue)
    const most = this.#ranking.firstBut(isNewcomer ? this.newcomers : queue)
    return most instanceof Newcomers ? most.firstBut(undefined) : (most as SenderQueue | undefined)
  }
}

/** Whoever holds more gives way first; of those that hold the same whoever used more, then whoever came later. */
function losesBefore(a: Holder, b: Holder): boolean {
  const difference = a.weight - b.weight || a.use - b.use || a.arrival - b.arrival
  return difference > 0
}

/** Among newcomers those give way first whose transactions cannot run. */
function losesBeforeMember(a: SenderQueue, b: SenderQueue): boolean {
  const difference = a.queuedCount - b.queuedCount || a.weight - b.weight || a.arrival - b.arrival
  return difference > 0
}
