import type { HostContext } from '../vm/index.ts'

/** Gas of one message. A message that a contract sends is paid for by the contract's own frame. */
export class GasMeter {
  readonly limit: number
  readonly #payer: HostContext | undefined
  #left: number
  /** What the engine has taken from the payer's frame already. */
  #paid = 0

  constructor(limit: number, payer: HostContext | undefined) {
    this.limit = limit
    this.#left = limit
    this.#payer = payer
  }

  get left(): number {
    return this.#left
  }

  get used(): number {
    return this.limit - this.#left
  }

  /** Takes gas before the work that it is for. When there is not enough, all of it is gone. */
  take(gas: number): boolean {
    const isEnough = gas <= this.#left
    this.#left = isEnough ? this.#left - gas : 0
    return isEnough
  }

  /** Counts what the engine used for a guest. */
  count(gasUsed: number): void {
    this.#left -= gasUsed
    if (this.#payer !== undefined) this.#paid += gasUsed
  }

  /** Has the payer pay what it has not paid yet. */
  settle(): void {
    this.#payer?.charge(this.used - this.#paid)
  }
}
