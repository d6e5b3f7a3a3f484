import type { Socket } from 'node:net'
import type { Clock } from '../../powers.ts'
import type { RpcLimits } from '../limits.ts'

type ConnectionLimits = Pick<RpcLimits, 'connectionsMax' | 'connectionsPerRemoteMax' | 'heldBytesMax' | 'sweepMs'>

/** One TCP connection of a client, whatever it speaks. */
export class ClientConnection {
  /** Unique in the process. */
  readonly id: number
  readonly socket: Socket
  /** Address of the other end: a client, or the proxy before it. */
  readonly peer: string
  readonly #gone = new AbortController()
  /** When it last got or sent something that a client asked for. */
  activeMs: number
  /** Requests that are being answered. */
  running = 0
  /** Answers that are being sent. */
  sending = 0
  /** Subscriptions that live on it. */
  subscriptions = 0
  /** Bytes of requests that are being answered, and of their answers. */
  workBytes = 0
  /** What had come in when the last request was whole. */
  #readBytes = 0

  constructor(id: number, socket: Socket, nowMs: number) {
    this.id = id
    this.socket = socket
    this.peer = socket.remoteAddress ?? ''
    this.activeMs = nowMs
    socket.once('close', () => this.#gone.abort())
  }

  /** Aborted when the client is gone. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** A request is whole: what came in so far is its, and is counted no more. */
  received(): void {
    this.#readBytes = this.socket.bytesRead
  }

  /** Bytes that it takes of memory: of a request that is coming in, of answers that are made, and of what the client has not read. */
  get heldBytes(): number {
    return this.socket.bytesRead - this.#readBytes + this.workBytes + this.socket.writableLength
  }
}

/**
 * The connections of a server. When they are too many, or take too much memory, the one goes that is least missed, so that no client can lock
 * others out: of the address with the most connections the one that is idle longest; of all the one that takes most.
 */
export class Connections {
  readonly #limits: () => ConnectionLimits
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Whether an address is that of a proxy, behind which many clients are. */
  readonly #isProxy: (address: string) => boolean
  readonly #open = new Map<Socket, ClientConnection>()
  readonly #byPeer = new Map<string, Set<ClientConnection>>()
  readonly #timer: NodeJS.Timeout
  readonly counters = { accepted: 0, refused: 0, evicted: 0 }
  #lastId = 0

  constructor(limits: () => ConnectionLimits, clock: Pick<Clock, 'monotonic'>, isProxy: (address: string) => boolean) {
    this.#limits = limits
    this.#clock = clock
    this.#isProxy = isProxy
    this.#timer = setInterval(() => this.makeRoom(), limits().sweepMs).unref()
  }

  get count(): number {
    return this.#open.size
  }

  of(socket: Socket): ClientConnection | undefined {
    return this.#open.get(socket)
  }

  /** Takes a connection in, and destroys another one, or this one, where there are too many. */
  accept(socket: Socket): void {
    const connection = new ClientConnection(++this.#lastId, socket, this.#clock.monotonic())
    if (!this.#hasPlace(connection.peer)) {
      this.counters.refused++
      socket.destroy()
      return
    }
    this.counters.accepted++
    this.#open.set(socket, connection)
    const { peer } = connection
    this.#byPeer.set(peer, this.#ofPeer(peer).add(connection))
    socket.once('close', () => this.#forget(connection))
  }

  /** Frees memory where the connections take too much of it together. */
  makeRoom(): void {
    const { heldBytesMax } = this.#limits()
    const heavy = [...this.#open.values()].map((connection) => ({ connection, bytes: connection.heldBytes }))
    let total = heavy.reduce((sum, { bytes }) => sum + bytes, 0)
    if (total <= heldBytesMax) return
    heavy.sort((a, b) => b.bytes - a.bytes)
    for (const { connection, bytes } of heavy) {
      if (total <= heldBytesMax) return
      this.#evict(connection)
      total -= bytes
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** All that are open now, to be closed with the server. */
  all(): readonly ClientConnection[] {
    return [...this.#open.values()]
  }

  #hasPlace(peer: string): boolean {
    const { connectionsMax, connectionsPerRemoteMax } = this.#limits()
    const own = this.#ofPeer(peer)
    if (!this.#isProxy(peer) && own.size >= connectionsPerRemoteMax) return this.#evictIdlest(own, false)
    if (this.#open.size < connectionsMax) return true
    const most = this.#largestPeer()
    // Whoever has fewer than another may take its place, even where that one is at work.
    return this.#evictIdlest(most, most.size > own.size + 1)
  }

  #ofPeer(peer: string): Set<ClientConnection> {
    return this.#byPeer.get(peer) ?? new Set()
  }

  #largestPeer(): ReadonlySet<ClientConnection> {
    return [...this.#byPeer.values()].reduce((most, set) => (set.size > most.size ? set : most), new Set())
  }

  #forget(connection: ClientConnection): void {
    if (!this.#open.delete(connection.socket)) return
    const own = this.#ofPeer(connection.peer)
    own.delete(connection)
    if (own.size === 0) this.#byPeer.delete(connection.peer)
  }

  /** False where all are at work, and none of them is to be disturbed. */
  #evictIdlest(candidates: ReadonlySet<ClientConnection>, evenBusy: boolean): boolean {
    const all = [...candidates]
    const idle = all.filter(({ running, subscriptions }) => running === 0 && subscriptions === 0)
    const pool = idle.length > 0 ? idle : evenBusy ? all : []
    const idlest = pool.reduce<ClientConnection | undefined>(
      (a, b) => (a === undefined || b.activeMs < a.activeMs ? b : a),
      undefined,
    )
    if (idlest === undefined) return false
    this.#evict(idlest)
    return true
  }

  #evict(connection: ClientConnection): void {
    this.counters.evicted++
    this.#forget(connection)
    connection.socket.destroy()
  }
}
