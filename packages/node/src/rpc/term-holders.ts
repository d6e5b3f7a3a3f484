/** Clients of one address share one reservation of what they hold in common. */
interface Holder {
  count: number
  readonly release: () => void
}

/** Reserves terms (addresses, topics, hashes) once for each remote address that holds them, however often it does. */
export class TermHolders {
  /** Reserves the terms for an address until the returned function is called. Throws RpcError over a limit. */
  readonly #take: (remote: string) => () => void
  readonly #holders = new Map<string, Holder>()

  constructor(take: (remote: string) => () => void) {
    this.#take = take
  }

  get isEmpty(): boolean {
    return this.#holders.size === 0
  }

  /** Throws RpcError if the address already holds too many terms. */
  hold(remote: string): void {
    const holder = this.#holders.get(remote)
    if (holder === undefined) this.#holders.set(remote, { count: 1, release: this.#take(remote) })
    else holder.count++
  }

  letGo(remote: string): void {
    const holder = this.#holders.get(remote)!
    if (--holder.count > 0) return
    holder.release()
    this.#holders.delete(remote)
  }
}
