import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { Closable } from '../lifecycle.ts'
import type { Clock } from '../powers.ts'

/** How often the event loop is asked whether it is on time. */
const RESOLUTION_MS = 10

/** What is shown is at most so old, and half of it at least is seen. */
export const LOOP_WINDOW_MS = 60_000

type Histogram = Pick<IntervalHistogram, 'max' | 'percentile' | 'reset' | 'enable' | 'disable'>

/** How late the event loop of this thread came to its timers: whatever it did, nothing else happened meanwhile. */
export interface LoopDelay {
  readonly p99Ms: number
  readonly maxMs: number
}

/**
 * Delays of the event loop in the last 30 to 60 s, whoever reads them and however often: two histograms take turns in beginning anew, and the
 * older one is shown.
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
    // A histogram counts from one timer to the next, and counts nothing before the second.
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
