import type { ChainParameters, TimeMs } from '@quoin/protocol'
import type { Clock } from '../powers.ts'

/**
 * When a height begins: as soon as the block interval has passed since the parent's time and there is something to put into a block, else
 * with the heartbeat. Every node keeps this time, so that the timer of round 0 runs only once a proposal may be expected.
 */
export class Pacing {
  readonly #clock: Clock
  readonly #hasTransactions: () => boolean
  readonly #onDue: () => void
  readonly #timers = new Set<() => void>()
  #open = false

  /** `onDue` is called once a height. */
  constructor(clock: Clock, hasTransactions: () => boolean, onDue: () => void) {
    this.#clock = clock
    this.#hasTransactions = hasTransactions
    this.#onDue = onDue
  }

  /** Whether the block interval has passed while nothing was due yet. */
  get open(): boolean {
    return this.#open
  }

  /** Begins to wait for a height. A parent whose time lies ahead of this clock does not stretch the wait beyond one heartbeat. */
  wait(parentTimeMs: TimeMs, parameters: Pick<ChainParameters, 'blockIntervalMs' | 'heartbeatIntervalMs'>): void {
    this.clear()
    const { blockIntervalMs, heartbeatIntervalMs } = parameters
    const passedMs = Math.max(0, this.#clock.now() - parentTimeMs)
    this.#after(Math.max(0, blockIntervalMs - passedMs), () => {
      this.#open = true
      this.admitted()
    })
    this.#after(Math.max(0, heartbeatIntervalMs - passedMs), () => this.#due())
  }

  /** A transaction became executable. */
  admitted(): void {
    if (this.#open && this.#hasTransactions()) this.#due()
  }

  /** The height began for another reason, or the node stops. */
  clear(): void {
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    this.#open = false
  }

  #due(): void {
    this.clear()
    this.#onDue()
  }

  #after(ms: number, action: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(cancel)
      action()
    })
    this.#timers.add(cancel)
  }
}
