import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { Closable } from '../lifecycle.ts'
import type { Clock } from '../powers.ts'

/** Sampling interval of the event loop's delay. */
const RESOLUTION_MS = 10

/** Longest period that a reading covers; it covers at least half of it. */
export const LOOP_WINDOW_MS = 60_000

type Histogram = Pick<IntervalHistogram, 'max' | 'percentile' | 'reset' | 'enable' | 'disable'>

/** How late the event loop of this thread ran its timers: for that long the thread was blocked by other work. */
export interface LoopDelay {
  readonly p99Ms: number
  readonly maxMs: number
}

/**
 * Delays of the event loop in the last 30 to 60 s. Two histograms are reset in turns and the older one is shown, so reading them does not
 * change them and several readers do not disturb each other.
 */
export class LoopDelays implements Closable {
  readonly #clock: Pick<Clock, 'after'>
  #older: Histogram
  #newer: Histogram
  #cancel: () => void = () => {}

  constructor(
    clock: Pick<Clock, 'after'>,
    monitor: () => Histogram = () => monitorEventLoopDelay({ resolution: RESOLUTION_MS }),
  ) {
    this.#clock = clock
    this.#older = monitor()
    this.#newer = monitor()
    this.#older.enable()
    this.#newer.enable()
    this.#wait()
  }

  read(): LoopDelay {
    // A histogram records the time between two timers, which includes the resolution. It is empty before the second timer.
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
    return { p99Ms: late(this.#older.percentile(99)), maxMs: late(this.#older.max) }
  }

  close(): void {
    this.#cancel()
    this.#older.disable()
    this.#newer.disable()
  }

  #wait(): void {
    this.#cancel = this.#clock.after(LOOP_WINDOW_MS / 2, () => {
      this.#older.reset()
      ;[this.#older, this.#newer] = [this.#newer, this.#older]
      this.#wait()
    })
  }
}
