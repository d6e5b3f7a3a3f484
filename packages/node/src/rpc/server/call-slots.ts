import { type Client, FairQueue } from '../../fair-queue.ts'
import type { RpcLimits } from '../limits.ts'

type SlotLimits = Pick<RpcLimits, 'callsMax' | 'callsPerRemoteMax' | 'callsKept'>

/**
 * Slots for concurrently running calls. An address may take many slots, but not all, and each address always has a few, so that other
 * clients' calls cannot make it wait. A call without a slot waits in a fair queue, by address and then by connection.
 */
export class CallSlots {
  readonly #waiting = new FairQueue<() => void>()
  readonly #byRemote = new Map<string, number>()
  #taken = 0

  /** Takes a slot. Undefined if it was free; otherwise a promise that resolves when there is one. Give it back with `release`. */
  take(client: Client, limits: SlotLimits): Promise<void> | undefined {
    if (this.#isFree(client, limits)) {
      this.#enter(client)
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(client, resolve))
  }

  /** Frees a slot, and gives it to the next waiting call that may have it. */
  release({ remote }: Pick<Client, 'remote'>, limits: SlotLimits): void {
    this.#taken--
    const left = this.#of(remote) - 1
    if (left > 0) this.#byRemote.set(remote, left)
    else this.#byRemote.delete(remote)
    const next = this.#waiting.shift((client) => this.#isFree(client, limits))
    if (next === undefined) return
    this.#enter(next.client)
    next.item()
  }

  #of(remote: string): number {
    return this.#byRemote.get(remote) ?? 0
  }

  #isFree({ remote }: Client, { callsMax, callsPerRemoteMax, callsKept }: SlotLimits): boolean {
    const own = this.#of(remote)
    return own < callsKept || (own < callsPerRemoteMax && this.#taken < callsMax)
  }

  #enter({ remote }: Client): void {
    this.#taken++
    this.#byRemote.set(remote, this.#of(remote) + 1)
  }
}
