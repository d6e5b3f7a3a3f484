import { RPC_CODE, RpcError } from './errors.ts'

/** Bounds what a server holds for its clients beyond their calls: in all, and for each of them. */
export class Quota {
  readonly #what: string
  readonly #max: number
  readonly #perRemoteMax: number
  readonly #held = new Map<string, number>()
  #total = 0

  /** `what` names the units in refusals. */
  constructor(what: string, max: number, perRemoteMax: number) {
    this.#what = what
    this.#max = max
    this.#perRemoteMax = perRemoteMax
  }

  /** Units that are held now. */
  get total(): number {
    return this.#total
  }

  /** Takes units for a client. The returned function gives them back, once. Throws RpcError when they are too many. */
  take(remote: string, units: number): () => void {
    const held = this.#held.get(remote) ?? 0
    if (held + units > this.#perRemoteMax) throw this.#refusal(`${remote} holds ${held} of at most ${this.#perRemoteMax}`)
    if (this.#total + units > this.#max) throw this.#refusal(`all clients hold ${this.#total} of at most ${this.#max}`)
    this.#add(remote, units)
    let isHeld = true
    return () => {
      if (isHeld) this.#add(remote, -units)
      isHeld = false
    }
  }

  #refusal(reason: string): RpcError {
    return new RpcError(RPC_CODE.limitExceeded, `too many ${this.#what}: ${reason}; end some first, or use another node`)
  }

  #add(remote: string, units: number): void {
    this.#total += units
    const held = (this.#held.get(remote) ?? 0) + units
    if (held === 0) this.#held.delete(remote)
    else this.#held.set(remote, held)
  }
}
