import type { Clock } from '../powers.ts'
import { TokenBucket } from '../token-bucket.ts'

export interface AllowanceLimits {
  /** Units that an address may use each second, on the average; 0 is no limit. */
  readonly unitsPerSecond: number
  /** Units that it may use at once after a pause. */
  readonly unitsBurst: number
}

/** Addresses that are remembered: those that came back last. Who was forgotten begins with a full bucket. */
const ADDRESSES_MAX = 16_384

/** A token bucket for each address, filled with time and emptied by what its calls weigh. */
export class Allowances {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** In the order of their last use. */
  readonly #buckets = new Map<string, TokenBucket>()
  #limits: AllowanceLimits

  constructor(clock: Pick<Clock, 'monotonic'>, limits: AllowanceLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Everybody begins with the new burst. */
  set(limits: AllowanceLimits): void {
    this.#limits = limits
    this.#buckets.clear()
  }

  /**
   * Takes units of an address. 0 when it had them; else how many milliseconds it is until it has, and nothing is taken. What costs more than a
   * full bucket has takes all of it.
   */
  take(remote: string, cost: number): number {
    const { unitsPerSecond, unitsBurst } = this.#limits
    if (unitsPerSecond === 0) return 0
    const units = Math.min(cost, unitsBurst)
    const bucket = this.#buckets.get(remote) ?? new TokenBucket(this.#clock, { perSecond: unitsPerSecond, burst: unitsBurst })
    this.#buckets.delete(remote)
    this.#buckets.set(remote, bucket)
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= ADDRESSES_MAX) break
      this.#buckets.delete(oldest)
    }
    bucket.take(units)
    const { waitMs } = bucket
    if (waitMs > 0) bucket.take(-units)
    return waitMs
  }
}
