import type { ChainParameters, TimeMs } from '@quoin/protocol'
import type { Clock } from '../powers.ts'

/**
 * Decides when a height begins: once the block interval has passed since the parent's time and there are transactions, otherwise at the
 * heartbeat. Every node follows this rule, so the timer of round 0 starts only when a proposal can be expected.
 */
export class Pacing {
  readonly #clock: Clock
  readonly #hasTransactions: () => boolean
  readonly #onDue: () => void
  readonly #timers = new Set<() => void>()
  #open = false

  /** @param onDue Called once per height. */
  constructor(clock: Clock, hasTransactions: () => boolean, onDue: () => void) {
    this.#clock = clock
    this.#hasTransactions = hasTransactions
    this.#onDue = onDue
  }

  /** True if the block interval has passed and the height is not due yet. */
  get open(): boolean {
    return this.#open
  }

  /** Starts waiting for a height. A parent time ahead of this clock does not extend the wait beyond one heartbeat. */
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

  /** Stops waiting: the height began for another reason, or the node stops. */
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
