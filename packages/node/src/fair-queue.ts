/** Who waits: an address, and one of its connections. */
export interface Client {
  /** Network address of the client. */
  readonly remote: string
  /** Number of the connection, unique in its process. */
  readonly connection: number
}

/**
 * A queue in which turns go round: among addresses, and within an address among its connections, so that whoever asks much waits for itself
 * alone. A connection's own items keep their order. Each step costs the same however many wait.
 */
export class FairQueue<T> {
  /** Both maps in the order of their next turns. */
  readonly #remotes = new Map<string, Map<number, Set<T>>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Items of one address that wait. */
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

  /** Takes an item out, wherever it stands; false when it is not there. */
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
   * The next item, and who waited. `passes` leaves out connections whose turn it is not, whatever they wait for. Undefined when nothing
   * is left.
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
