import type { Clock } from '../powers.ts'

export interface AllowanceLimits {
  /** Units that an address may use each second, on the average; 0 is no limit. */
  readonly unitsPerSecond: number
  /** Units that it may use at once after a pause. */
  readonly unitsBurst: number
}

interface Bucket {
  units: number
  atMs: number
}

/** Addresses that are remembered: those that came back last. Who was forgotten begins with a full bucket. */
const ADDRESSES_MAX = 16_384

/** A token bucket for each address, filled with time and emptied by what its calls weigh. */
export class Allowances {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>()
  #limits: AllowanceLimits

  constructor(clock: Pick<Clock, 'monotonic'>, limits: AllowanceLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  set(limits: AllowanceLimits): void {
    this.#limits = limits
  }

  /** Takes units of an address. 0 when it had them; else how many milliseconds it is until it has, and nothing is taken. */
  take(remote: string, units: number): number {
    const { unitsPerSecond, unitsBurst } = this.#limits
    if (unitsPerSecond === 0) return 0
    const now = this.#clock.monotonic()
    const bucket = this.#buckets.get(remote) ?? { units: unitsBurst, atMs: now }
    bucket.units = Math.min(unitsBurst, bucket.units + ((now - bucket.atMs) * unitsPerSecond) / 1_000)
    bucket.atMs = now
    this.#buckets.delete(remote)
    this.#buckets.set(remote, bucket)
    if (this.#buckets.size > ADDRESSES_MAX)
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest)
        break
      }
    if (bucket.units < units) return Math.ceil(((units - bucket.units) * 1_000) / unitsPerSecond)
    bucket.units -= units
    return 0
  }
}
