import { assertTicks, type Ticks } from '../ticks.ts'
import type { HostContext } from '../vm/index.ts'

/** Counts the ticks of one message. A contract's frame pays for the messages that the contract sends. */
export class GasMeter {
  readonly limit: Ticks
  readonly #payer: HostContext | undefined
  #left: Ticks
  /** Ticks that the interpreter has already charged to the payer's frame. */
  #paid: Ticks = 0

  constructor(limit: Ticks, payer: HostContext | undefined) {
    this.limit = assertTicks(limit)
    this.#left = limit
    this.#payer = payer
  }

  get left(): Ticks {
    return this.#left
  }

  get used(): Ticks {
    return this.limit - this.#left
  }

  /**
   * Charges ticks before the work is done.
   *
   * @returns false when there are not enough; then none are left
   */
  take(ticks: Ticks): boolean {
    const isEnough = assertTicks(ticks) <= this.#left
    this.#left = isEnough ? this.#left - ticks : 0
    return isEnough
  }

  /** Records ticks that the interpreter used for a guest. */
  count(used: Ticks): void {
    this.#left -= assertTicks(used, this.#left)
    if (this.#payer !== undefined) this.#paid += used
  }

  /** Charges the payer for what it has not paid yet. */
  settle(): void {
    this.#payer?.charge(assertTicks(this.used - this.#paid))
  }
}
