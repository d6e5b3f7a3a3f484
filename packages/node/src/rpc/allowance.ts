import type { Clock } from '../powers.ts'
import { TokenBucket } from '../token-bucket.ts'

export interface AllowanceLimits {
  /** Units that an address may use per second on average. 0 means no limit. */
  readonly unitsPerSecond: number
  /** Units that an address may use at once after a pause (size of the bucket). */
  readonly unitsBurst: number
}

/** Maximum number of remembered addresses, the most recently used ones. A forgotten address starts again with a full bucket. */
const ADDRESSES_MAX = 16_384

/** A rate limit with one token bucket per address. Each call takes its weight. */
export class Allowances {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Least recently used first. */
  readonly #buckets = new Map<string, TokenBucket>()
  #limits: AllowanceLimits

  constructor(clock: Pick<Clock, 'monotonic'>, limits: AllowanceLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Sets new limits. Every address starts again with a full bucket. */
  set(limits: AllowanceLimits): void {
    this.#limits = limits
    this.#buckets.clear()
  }

  /**
   * Takes units from an address's bucket. A cost above the bucket's size takes the whole bucket.
   *
   * @returns 0 if there were enough; otherwise the milliseconds until there are, and nothing is taken.
   */
  take(remote: string, cost: number): number {
    const { unitsPerSecond, unitsBurst } = this.#limits
    if (unitsPerSecond === 0) return 0
    const units = Math.min(cost, unitsBurst)
    const bucket = this.#bucketOf(remote)
    bucket.take(units)
    const { waitMs } = bucket
    if (waitMs > 0) bucket.take(-units)
    return waitMs
  }

  /**
   * Takes units that a running call turned out to cost, though too few may be left: then the address's next call waits. The debt is never
   * more than a whole bucket.
   */
  charge(remote: string, cost: number): void {
    const { unitsPerSecond, unitsBurst } = this.#limits
    if (unitsPerSecond === 0) return
    const bucket = this.#bucketOf(remote)
    bucket.take(Math.min(cost, unitsBurst + bucket.left))
  }

  /** The bucket of an address, which becomes the most recently used one. */
  #bucketOf(remote: string): TokenBucket {
    const { unitsPerSecond, unitsBurst } = this.#limits
    const bucket = this.#buckets.get(remote) ?? new TokenBucket(this.#clock, { perSecond: unitsPerSecond, burst: unitsBurst })
    this.#buckets.delete(remote)
    this.#buckets.set(remote, bucket)
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= ADDRESSES_MAX) break
      this.#buckets.delete(oldest)
    }
    return bucket
  }
}
