/** A client of the RPC: an address, and one of its connections. */
export interface Client {
  /** Network address of the client, or the account that its token names. */
  readonly remote: string
  /** Number of the connection, unique in its process. */
  readonly connection: number
}

/**
 * A round-robin queue: turns go round among addresses, and within an address among its connections, so that a client with many requests
 * delays only itself. Items of one connection keep their order. Push and remove take constant time, and so does shift without `passes`.
 */
export class FairQueue<T> {
  /** Items by address and connection. Both maps are in the order of their next turns. */
  readonly #remotes = new Map<string, Map<number, Set<T>>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Number of queued items of one address. */
  sizeOf({ remote }: Pick<Client, 'remote'>): number {
    let size = 0
    for (const items of this.#remotes.get(remote)?.values() ?? []) size += items.size
    return size
  }

  push({ remote, connection }: Client, item: T): void {
    const connections = this.#remotes.get(remote) ?? new Map<number, Set<T>>()
    this.#remotes.set(remote, connections)
    const items = connections.get(connection) ?? new Set<T>()
    connections.set(connection, items)
    items.add(item)
    this.#size++
  }

  /** Removes an item from any position. Returns false if it is not queued. */
  remove({ remote, connection }: Client, item: T): boolean {
    const connections = this.#remotes.get(remote)
    const items = connections?.get(connection)
    if (connections === undefined || items?.delete(item) !== true) return false
    this.#size--
    if (items.size === 0) connections.delete(connection)
    if (connections.size === 0) this.#remotes.delete(remote)
    return true
  }

  /**
   * Takes the next item.
   *
   * @param passes - Filter: connections for which it returns false are skipped.
   * @returns The item and its client; undefined if nothing is left.
   */
  shift(passes: (client: Client) => boolean = () => true): { readonly client: Client; readonly item: T } | undefined {
    for (const [remote, connections] of this.#remotes) {
      for (const [connection, items] of connections) {
        const client = { remote, connection }
        if (!passes(client)) continue
        for (const item of items) {
          this.#rotate(client, connections, items, item)
          return { client, item }
        }
      }
    }
    return undefined
  }

  #rotate({ remote, connection }: Client, connections: Map<number, Set<T>>, items: Set<T>, item: T): void {
    items.delete(item)
    this.#size--
    connections.delete(connection)
    if (items.size > 0) connections.set(connection, items)
    this.#remotes.delete(remote)
    if (connections.size > 0) this.#remotes.set(remote, connections)
  }
}
