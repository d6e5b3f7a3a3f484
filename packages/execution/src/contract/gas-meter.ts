import { assertTicks, type Ticks } from '../ticks.ts'
import type { HostContext } from '../vm/index.ts'

/** Ticks of one message. A message that a contract sends is paid for by the contract's own frame. */
export class GasMeter {
  readonly limit: Ticks
  readonly #payer: HostContext | undefined
  #left: Ticks
  /** What the interpreter has taken from the payer's frame already. */
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

  /** Takes ticks before the work that they are for. When there are not enough, all of them are gone. */
  take(ticks: Ticks): boolean {
    const isEnough = assertTicks(ticks) <= this.#left
    this.#left = isEnough ? this.#left - ticks : 0
    return isEnough
  }

  /** Counts what the interpreter used for a guest. */
  count(used: Ticks): void {
    this.#left -= assertTicks(used, this.#left)
    if (this.#payer !== undefined) this.#paid += used
  }

  /** Has the payer pay what it has not paid yet. */
  settle(): void {
    this.#payer?.charge(assertTicks(this.used - this.#paid))
  }
}
