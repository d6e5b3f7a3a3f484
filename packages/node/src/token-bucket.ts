import type { Clock } from './powers.ts'

export interface Allowance {
  /** Refill rate. */
  readonly perSecond: number
  /** Capacity of the bucket. */
  readonly burst: number
}

/** A token bucket that may be overdrawn: a single large amount is never refused, but the next one waits. */
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

  /** Tokens left. Negative if overdrawn. */
  get left(): number {
    const nowMs = this.#clock.monotonic()
    const { perSecond, burst } = this.#allowance
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#atMs) * perSecond) / 1_000)
    this.#atMs = nowMs
    return this.#left
  }

  /** Whether the bucket is full. A full bucket can be dropped and recreated without any effect. */
  get isFull(): boolean {
    return this.left === this.#allowance.burst
  }

  /** Milliseconds until the bucket is no longer overdrawn. */
  get waitMs(): number {
    return Math.ceil((1_000 * Math.max(0, -this.left)) / this.#allowance.perSecond)
  }

  /** Takes an amount. A negative amount is given back. */
  take(amount: number): void {
    this.#left = this.left - amount
  }
}
