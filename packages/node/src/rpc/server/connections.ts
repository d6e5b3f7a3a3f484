import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import type { Clock } from '../../powers.ts'
import type { RpcLimits } from '../limits.ts'
import { clientOf } from './access.ts'

type ConnectionLimits = Pick<RpcLimits, 'connectionsMax' | 'connectionsPerRemoteMax' | 'heldBytesMax' | 'sweepMs'>

/** One TCP connection of a client, HTTP or WebSocket. */
export class ClientConnection {
  /** Unique in the process. */
  readonly id: number
  readonly socket: Socket
  /** Address of the other end: a client, or a proxy in front of it. */
  readonly peer: string
  /** Client key of the peer's address (`clientOf`). */
  readonly client: string
  readonly #gone = new AbortController()
  /** Time of the last request, by the monotonic clock. */
  activeMs: number
  /** HTTP requests whose headers `node:http` has read. */
  begun = 0
  /** Those of them whose responses are not sent yet. */
  unanswered = 0
  /** The client has requested a WebSocket upgrade. */
  isWebSocket = false
  /** Calls that are running. */
  running = 0
  /** Responses that are being sent. */
  sending = 0
  /** Subscriptions and streams on this connection. */
  subscriptions = 0
  /** Bytes of running requests, and of their responses. */
  workBytes = 0
  /** Bytes received up to the end of the last complete request. */
  #readBytes = 0
  /** Number of sweeps in a row at which it held memory. */
  #heldSweeps = 0
  /** Responses that wait for the client to read. */
  #unread = 0
  #sendMs = 0

  constructor(id: number, socket: Socket, nowMs: number) {
    this.id = id
    this.socket = socket
    this.peer = socket.remoteAddress ?? ''
    this.client = clientOf(this.peer)
    this.activeMs = nowMs
    // Without a listener an error would crash the process, and between `upgrade` and a refusal there is no other. The socket closes by itself.
    socket.on('error', () => {})
    // One listener per running call and pending response is normal: turn off Node's leak warning.
    setMaxListeners(0, this.#gone.signal)
    socket.once('close', () => this.#gone.abort())
  }

  /** Whether a call is running, or a response is being sent. */
  get isAtWork(): boolean {
    return this.running + this.sending > 0
  }

  /** Aborted when the client is gone. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** A request is complete: the bytes received so far no longer count as incoming. */
  received(): void {
    this.#readBytes = this.socket.bytesRead
  }

  /** Held memory, weighted with the time for which it was held: a client that makes progress holds nothing between sweeps, a stalled one does. */
  sweep(): number {
    const bytes = this.heldBytes
    this.#heldSweeps = bytes === 0 ? 0 : this.#heldSweeps + 1
    return bytes * this.#heldSweeps
  }

  /** From now on the client must read: it is disconnected after `sendMs` without reading a byte. */
  awaitReading(sendMs: number): void {
    if (this.#unread++ > 0) return
    this.#sendMs = sendMs
    this.socket.setTimeout(sendMs)
    this.socket.on('timeout', this.#onLate)
  }

  /** The client has read what one `awaitReading` waited for. */
  hasRead(): void {
    if (--this.#unread > 0) return
    this.socket.removeListener('timeout', this.#onLate)
    // Keep the timeout if other code has set a different one in the meantime.
    if (this.socket.timeout === this.#sendMs) this.socket.setTimeout(0)
  }

  readonly #onLate = (): void => void this.socket.destroy()

  /** Held memory in bytes: of incoming requests, of responses in the making, and of responses that the client has not read. */
  get heldBytes(): number {
    return this.socket.bytesRead - this.#readBytes + this.workBytes + this.socket.writableLength
  }
}

/**
 * The connections of a server. If there are too many, or they take too much memory, one is closed, so that no client can lock others out. For
 * the number of connections, it is the longest idle one among the clients with the most connections. For memory, it is the
 * connection that has held the most for longest, of the client that has held the most for longest.
 */
export class Connections {
  readonly #limits: () => ConnectionLimits
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Whether an address belongs to a trusted proxy, which serves many clients. */
  readonly #isProxy: (address: string) => boolean
  readonly #open = new Map<Socket, ClientConnection>()
  readonly #byClient = new Map<string, Set<ClientConnection>>()
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

  /** Adds a connection. If there are too many, closes another one, or this one. */
  accept(socket: Socket): void {
    const connection = new ClientConnection(++this.#lastId, socket, this.#clock.monotonic())
    if (!this.#hasPlace(connection)) {
      this.counters.refused++
      socket.destroy()
      return
    }
    this.counters.accepted++
    this.#open.set(socket, connection)
    const { client } = connection
    this.#byClient.set(client, this.#ofClient(client).add(connection))
    socket.once('close', () => this.#forget(connection))
  }

  /** Closes connections until all of them together hold at most `heldBytesMax`. */
  makeRoom(): void {
    const { heldBytesMax } = this.#limits()
    const heavy = [...this.#open.values()].map((connection) => ({
      connection,
      bytes: connection.heldBytes,
      weight: connection.sweep(),
    }))
    let total = heavy.reduce((sum, { bytes }) => sum + bytes, 0)
    if (total <= heldBytesMax) return
    const weights = new Map<string, number>()
    for (const { connection, weight } of heavy) weights.set(connection.client, (weights.get(connection.client) ?? 0) + weight)
    heavy.sort((a, b) => b.weight - a.weight)
    while (total > heldBytesMax && heavy.length > 0) {
      const [client, most] = [...weights].reduce((a, b) => (b[1] > a[1] ? b : a))
      const at = heavy.findIndex(({ connection }) => connection.client === client)
      const [{ connection, bytes, weight }] = heavy.splice(at, 1) as [(typeof heavy)[number]]
      this.#evict(connection)
      total -= bytes
      if (heavy.some((other) => other.connection.client === client)) weights.set(client, most - weight)
      else weights.delete(client)
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** All open connections. */
  all(): readonly ClientConnection[] {
    return [...this.#open.values()]
  }

  #hasPlace({ client, peer }: ClientConnection): boolean {
    const { connectionsMax, connectionsPerRemoteMax } = this.#limits()
    const own = this.#ofClient(client)
    if (!this.#isProxy(peer) && own.size >= connectionsPerRemoteMax) return this.#evictIdlest([...own], false)
    if (this.#open.size < connectionsMax) return true
    let most = 0
    for (const { size } of this.#byClient.values()) most = Math.max(most, size)
    const candidates = [...this.#byClient.values()].filter(({ size }) => size === most).flatMap((set) => [...set])
    // A client with fewer connections, or with none, may replace another client's connection even if that one is at work.
    return this.#evictIdlest(candidates, most > own.size + 1 || own.size === 0)
  }

  #ofClient(client: string): Set<ClientConnection> {
    return this.#byClient.get(client) ?? new Set()
  }

  #forget(connection: ClientConnection): void {
    if (!this.#open.delete(connection.socket)) return
    const own = this.#ofClient(connection.client)
    own.delete(connection)
    if (own.size === 0) this.#byClient.delete(connection.client)
  }

  /**
   * Closes the longest idle candidate. If `evenBusy` is set, also one that only has subscriptions, or that is at work, in this order.
   * Returns false if there is none to close.
   */
  #evictIdlest(candidates: readonly ClientConnection[], evenBusy: boolean): boolean {
    const resting = candidates.filter(({ isAtWork }) => !isAtWork)
    const idle = resting.filter(({ subscriptions }) => subscriptions === 0)
    const pool = idle.length > 0 || !evenBusy ? idle : resting.length > 0 ? resting : candidates
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
