import type { Clock } from '../powers.ts'

/** Calls that wait for the chain to move. */
export class HeadWaits {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #waiting = new Set<() => void>()
  #isClosed = false

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>) {
    this.#clock = clock
  }

  /**
   * Resolves to true when the condition holds, which is checked at once and after each move of the chain. Resolves to false after `ms`, when
   * the signal is aborted, or when the server stops.
   */
  async until(isMet: () => boolean, ms: number, signal: AbortSignal): Promise<boolean> {
    const endMs = this.#clock.monotonic() + ms
    while (!isMet()) {
      const leftMs = endMs - this.#clock.monotonic()
      if (leftMs <= 0 || signal.aborted || this.#isClosed) return false
      await this.#move(leftMs, signal)
    }
    return true
  }

  /** Resolves when the chain moves, after `ms`, or when the signal is aborted. */
  #move(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        signal.removeEventListener('abort', done)
        this.#waiting.delete(done)
        resolve()
      }
      const cancel = this.#clock.after(ms, done)
      signal.addEventListener('abort', done, { once: true })
      this.#waiting.add(done)
    })
  }

  /** The chain has another head. */
  onMove(): void {
    for (const done of [...this.#waiting]) done()
  }

  close(): void {
    this.#isClosed = true
    this.onMove()
  }
}
