import { type Client, FairQueue } from '../../fair-queue.ts'
import type { RpcLimits } from '../limits.ts'

type SlotLimits = Pick<RpcLimits, 'callsMax' | 'callsPerRemoteMax' | 'callsKept'>

/**
 * Places for the calls that are being answered. An address may take many, but not all; and a few are kept for each address, so that nobody
 * else's calls can make it wait for one. Whoever finds none waits for a turn, by address and then by connection.
 */
export class CallSlots {
  readonly #waiting = new FairQueue<() => void>()
  readonly #byRemote = new Map<string, number>()
  #taken = 0

  /** Resolves when there is a place, which `release` gives back. */
  take(client: Client, limits: SlotLimits): Promise<void> | undefined {
    if (this.#isFree(client, limits)) {
      this.#enter(client)
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(client, resolve))
  }

  /** The place goes to the next one that waits and may have it. */
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
