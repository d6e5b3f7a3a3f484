import type { Instance } from './instance.ts'

/**
 * What the host's work for one crossing costs the guest, summed up here and taken at once, for each look at the counter costs too. Work is
 * announced before it is done: none is done that the guest cannot pay for.
 */
export class Toll {
  readonly #instance: Instance
  #left: number
  #due = 0

  constructor(instance: Instance) {
    this.#instance = instance
    this.#left = instance.gasLeft
  }

  /** Announces work of this price. Does not return when the guest cannot pay. */
  add(gas: number): void {
    this.#due += gas
    if (this.#due > this.#left) this.collect()
  }

  /** Takes what is due. Also to be done before and after the guest runs. */
  collect(): void {
    if (this.#due === 0) return
    this.#instance.charge(this.#due)
    this.#due = 0
    this.#left = this.#instance.gasLeft
  }

  /** The guest has run in between, and may have used gas itself: takes what is due, and looks again. */
  refresh(): void {
    this.collect()
    this.#left = this.#instance.gasLeft
  }
}
