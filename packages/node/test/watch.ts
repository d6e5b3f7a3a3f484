import { WATCHDOG_LIMITS, type WatchPowers } from '../src/executor/watchdog.ts'
import { ManualClock } from './clock.ts'

/** Powers of a watchdog whose time stands still until told, on a machine of which the process has all of the processor. */
export class ManualWatch implements WatchPowers {
  readonly clock = new ManualClock()

  readonly processorMs = (): number => this.clock.now()

  /** Time in which threads work. */
  work(ms: number): void {
    const { tickMs } = WATCHDOG_LIMITS
    for (let gone = 0; gone < ms; gone += tickMs) this.clock.advance(tickMs)
  }
}
