import { type Client, FairQueue } from '../fair-queue.ts'
import type { Clock } from '../powers.ts'

/**
 * Slices of an event loop: whoever works longer than a slice lets all others go on first. In each iteration of the loop the work of all
 * clients together takes one slice, or as long as its last piece needs; then sockets and timers have their turn.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #sliceMs: number
  readonly #waiting = new FairQueue<() => void>()
  /** Of the iteration that runs. */
  #endsMs = Number.NEGATIVE_INFINITY
  /** The next iteration begins a new slice. */
  #isScheduled = false

  constructor(clock: Pick<Clock, 'monotonic'>, sliceMs: number) {
    this.#clock = clock
    this.#sliceMs = sliceMs
  }

  /** Work that waits. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Whether the work of this iteration has taken its slice. */
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

  /** One after another, each after the piece of work of the one before. */
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
