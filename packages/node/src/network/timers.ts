import type { Clock } from '../powers.ts'

/** The operating system's clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms)
    return () => clearTimeout(timer)
  },
}

/** A signal that aborts after a while; `cancel` it when it is no longer needed. */
export interface Deadline {
  readonly signal: AbortSignal
  cancel(): void
}

/** Timers that all end with their owner. */
export class Timers {
  readonly #clock: Clock
  readonly #cancels = new Set<() => void>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `action` once after `ms`, never after `close`; the returned function cancels it. */
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

  deadline(ms: number, what: string): Deadline {
    const controller = new AbortController()
    const cancel = this.after(ms, () => controller.abort(new Error(`${what} took more than ${ms} ms`)))
    return { signal: controller.signal, cancel }
  }

  close(): void {
    this.#closed = true
    for (const cancel of [...this.#cancels]) cancel()
  }
}
