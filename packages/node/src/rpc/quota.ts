import { RpcError } from './errors.ts'

/** Limits resources that clients hold beyond a call, such as filters: in total, and per address. */
export class Quota {
  readonly #what: string
  readonly #max: number
  readonly #perRemoteMax: number
  readonly #held = new Map<string, number>()
  #total = 0

  /** @param what - Name of the units in error messages. */
  constructor(what: string, max: number, perRemoteMax: number) {
    this.#what = what
    this.#max = max
    this.#perRemoteMax = perRemoteMax
  }

  /** Units in use. */
  get total(): number {
    return this.#total
  }

  /** Takes units for an address. The returned function gives them back. Throws RpcError if a limit would be exceeded. */
  take(remote: string, units: number): () => void {
    const held = this.#held.get(remote) ?? 0
    if (held + units > this.#perRemoteMax)
      throw this.#refusal(`${remote} has ${held}, the limit per address is ${this.#perRemoteMax}`)
    if (this.#total + units > this.#max)
      throw this.#refusal(`all clients together have ${this.#total}, the limit is ${this.#max}`)
    this.#add(remote, units)
    let isHeld = true
    return () => {
      if (isHeld) this.#add(remote, -units)
      isHeld = false
    }
  }

  #refusal(reason: string): RpcError {
    return new RpcError('quota-exceeded', `too many ${this.#what}: ${reason}; remove some first, or use another node`)
  }

  #add(remote: string, units: number): void {
    this.#total += units
    const held = (this.#held.get(remote) ?? 0) + units
    if (held === 0) this.#held.delete(remote)
    else this.#held.set(remote, held)
  }
}
