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
