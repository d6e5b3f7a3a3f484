import { type Client, FairQueue } from '../../fair-queue.ts'

/** Places for the calls that are being answered. Whoever finds none waits for a turn, by address and then by connection. */
export class CallSlots {
  readonly #waiting = new FairQueue<() => void>()
  #taken = 0

  /** Resolves when there is a place, which `release` gives back. */
  take(client: Client, countMax: number): Promise<void> | undefined {
    if (this.#taken < countMax) {
      this.#taken++
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(client, resolve))
  }

  /** The place goes to the next one that waits. */
  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#taken--
    else next.item()
  }
}
