import { backoffMs } from '../backoff.ts'

export interface RestartLimits {
  /** Delay of the first restart, in ms. It doubles with each further death in a row. */
  readonly restartMsMin: number
  /** Longest delay, in ms. */
  readonly restartMsMax: number
}

/** Delays between the death of a thread and the start of the next one, so that a thread that always dies costs little. */
export class RestartDelay {
  readonly #limits: RestartLimits
  #deaths = 0

  constructor(limits: RestartLimits) {
    this.#limits = limits
  }

  /** Deaths since the last `reset`. */
  get deaths(): number {
    return this.#deaths
  }

  /** Counts a death. @returns how long to wait before the next start, in ms */
  next(): number {
    const { restartMsMin, restartMsMax } = this.#limits
    return backoffMs(++this.#deaths, restartMsMin, restartMsMax)
  }

  /** How long to wait before the next start, in ms, if the thread was stopped for its work and is not to blame. Counts no death. */
  again(): number {
    const { restartMsMin, restartMsMax } = this.#limits
    return backoffMs(Math.max(1, this.#deaths), restartMsMin, restartMsMax)
  }

  /** The thread works: the next death counts as the first. */
  reset(): void {
    this.#deaths = 0
  }
}
