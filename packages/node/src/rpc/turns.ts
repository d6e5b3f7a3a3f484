import { type Client, FairQueue } from '../fair-queue.ts'
import type { Clock } from '../powers.ts'

/** The turn of one piece of work. */
export interface Turn {
  /** Whether the time slice of the clients' work is used up. If so, call `nextTurn` before further work. */
  isSliceOver(): boolean
  /** Resolves when it is this client's turn. Rejects if nobody waits for the work any more. */
  nextTurn(): Promise<void>
}

/**
 * Time slices of the event loop. In each iteration of the loop, the work of all clients together takes one slice (plus the rest of its
 * last piece); then sockets and timers are served. Work that does not finish within the slice waits until all others have had a turn.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #sliceMs: number
  readonly #waiting = new FairQueue<() => void>()
  /** End of the slice in the current iteration. */
  #endsMs = Number.NEGATIVE_INFINITY
  /** The next iteration will begin a new slice. */
  #isScheduled = false

  constructor(clock: Pick<Clock, 'monotonic'>, sliceMs: number) {
    this.#clock = clock
    this.#sliceMs = sliceMs
  }

  /** Number of waiting pieces of work. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Whether the slice of this iteration is used up. */
  isOver(): boolean {
    if (this.#isScheduled) return this.#clock.monotonic() >= this.#endsMs
    this.#schedule()
    this.#endsMs = this.#clock.monotonic() + this.#sliceMs
    return false
  }

  /** Resolves when it is the client's turn. */
  next(client: Client): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(client, resolve)
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#begin)
  }

  readonly #begin = (): void => {
    this.#isScheduled = false
    if (this.#waiting.size === 0) return
    this.#schedule()
    this.#endsMs = this.#clock.monotonic() + this.#sliceMs
    this.#give()
  }

  /** Resumes waiting work one by one, each after the previous piece has ended. */
  readonly #give = (): void => {
    const next = this.#waiting.shift()
    if (next === undefined) return
    next.item()
    queueMicrotask(this.#giveMore)
  }

  readonly #giveMore = (): void => {
    if (!this.isOver()) this.#give()
  }
}
