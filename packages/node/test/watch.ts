import { WATCHDOG_LIMITS, type WatchPowers } from '../src/executor/watchdog.ts'
import { ManualClock } from './clock.ts'

/** Clocks for a watchdog that only move when told to. The process has the whole processor. */
export class ManualWatch implements WatchPowers {
  readonly clock = new ManualClock()

  readonly processorMs = (): number => this.clock.now()

  /** Advances time in which threads work. */
  work(ms: number): void {
    const { tickMs } = WATCHDOG_LIMITS
    for (let gone = 0; gone < ms; gone += tickMs) this.clock.advance(tickMs)
  }
}
