/** Wakes one waiting loop. A ring while nobody waits is kept for the next wait. */
export class Bell {
  #isRung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  /** Until it rings, `ms` have passed, or the signal aborts. */
  async wait(ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', wake)
          this.#wake = undefined
          resolve()
        }
        this.#wake = wake
        const timer = ms === undefined ? undefined : setTimeout(wake, ms)
        signal.addEventListener('abort', wake)
      })
    }
    this.#isRung = false
  }
}

/** Until `ms` have passed or the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> => new Bell().wait(ms, signal)

/** Grows from `first` by two with each attempt, up to `max`, less up to half by chance so that clients spread. */
export const backoffMs = (attempt: number, first: number, max: number): number =>
  Math.min(max, first * 2 ** Math.min(attempt, 20)) * (1 - Math.random() / 2)
