import type { Clock } from './powers.ts'

export interface Allowance {
  /** What comes back in a second. */
  readonly perSecond: number
  /** The most that is kept. */
  readonly burst: number
}

/** An allowance that grows back with time. It may be overdrawn, so that one large piece is never refused; what comes next waits. */
export class TokenBucket {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #allowance: Allowance
  #left: number
  #atMs: number

  constructor(clock: Pick<Clock, 'monotonic'>, allowance: Allowance) {
    this.#clock = clock
    this.#allowance = allowance
    this.#left = allowance.burst
    this.#atMs = clock.monotonic()
  }

  /** Negative when it is overdrawn. */
  get left(): number {
    const nowMs = this.#clock.monotonic()
    const { perSecond, burst } = this.#allowance
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#atMs) * perSecond) / 1_000)
    this.#atMs = nowMs
    return this.#left
  }

  /** Nothing was taken of late: one who is forgotten now loses and gains nothing. */
  get isFull(): boolean {
    return this.left === this.#allowance.burst
  }

  /** Milliseconds until it is no longer overdrawn. */
  get waitMs(): number {
    return Math.ceil((1_000 * Math.max(0, -this.left)) / this.#allowance.perSecond)
  }

  /** Takes an amount, or gives a negative one back. */
  take(amount: number): void {
    this.#left = this.left - amount
  }
}
