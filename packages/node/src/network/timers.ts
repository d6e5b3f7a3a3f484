import type { Clock } from '../powers.ts'

/** Timers that are all cancelled when their owner closes. */
export class Timers {
  readonly #clock: Clock
  readonly #cancels = new Set<() => void>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `action` once after `ms`, but never after `close`. The returned function cancels it. */
  after(ms: number, action: () => void): () => void {
    if (this.#closed) return () => {}
    const stop = this.#clock.after(ms, () => {
      this.#cancels.delete(cancel)
      action()
    })
    const cancel = () => {
      this.#cancels.delete(cancel)
      stop()
    }
    this.#cancels.add(cancel)
    return cancel
  }

  close(): void {
    this.#closed = true
    for (const cancel of [...this.#cancels]) cancel()
  }
}
