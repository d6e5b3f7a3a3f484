import type { Instance } from './instance.ts'

/**
 * Gas that the guest owes for the host's work while a value crosses. It is summed up here and charged in one step, because each
 * access to the counter costs time. Work is added before it is done, so the host does no work that the guest cannot pay for.
 */
export class Toll {
  readonly #instance: Instance
  #left: number
  #due = 0

  constructor(instance: Instance) {
    this.#instance = instance
    this.#left = instance.gasLeft
  }

  /** Adds the price of work that is about to be done. Throws when the guest cannot pay. */
  add(gas: number): void {
    this.#due += gas
    if (this.#due > this.#left) this.collect()
  }

  /** Charges what is due. Also call it before and after guest code runs. */
  collect(): void {
    if (this.#due === 0) return
    this.#instance.charge(this.#due)
    this.#due = 0
    this.#left = this.#instance.gasLeft
  }

  /** Call after guest code has run and may have used gas: charges what is due and reads the counter again. */
  refresh(): void {
    this.collect()
    this.#left = this.#instance.gasLeft
  }
}
