import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import type { Clock } from '../../powers.ts'
import type { RpcLimits } from '../limits.ts'
import { clientOf } from './access.ts'

type ConnectionLimits = Pick<RpcLimits, 'connectionsMax' | 'connectionsPerRemoteMax' | 'heldBytesMax' | 'sweepMs'>

/** One TCP connection of a client, whatever it speaks. */
export class ClientConnection {
  /** Unique in the process. */
  readonly id: number
  readonly socket: Socket
  /** Address of the other end: a client, or the proxy before it. */
  readonly peer: string
  /** Whose it is: the peer's site. */
  readonly client: string
  readonly #gone = new AbortController()
  /** When it last got or sent something that a client asked for. */
  activeMs: number
  /** HTTP requests whose heads were read by `node:http`: all, and those whose answers are not sent. */
  begun = 0
  unanswered = 0
  /** It has been asked to become a WebSocket. */
  isWebSocket = false
  /** Calls that are being answered. */
  running = 0
  /** Answers that are being sent. */
  sending = 0
  /** Subscriptions that live on it. */
  subscriptions = 0
  /** Bytes of requests that are being answered, and of their answers. */
  workBytes = 0
  /** What had come in when the last request was whole. */
  #readBytes = 0
  /** Sweeps at which it held something, since it last held nothing. */
  #heldSweeps = 0
  /** Answers that wait until the client reads. */
  #unread = 0
  #sendMs = 0

  constructor(id: number, socket: Socket, nowMs: number) {
    this.id = id
    this.socket = socket
    this.peer = socket.remoteAddress ?? ''
    this.client = clientOf(this.peer)
    this.activeMs = nowMs
    // Whoever has the socket may have no listener of its own, as between `upgrade` and a refusal. It closes after any error.
    socket.on('error', () => {})
    // As many as it has calls and answers under way.
    setMaxListeners(0, this.#gone.signal)
    socket.once('close', () => this.#gone.abort())
  }

  /** A call of it is being answered, or an answer sent. */
  get isAtWork(): boolean {
    return this.running + this.sending > 0
  }

  /** Aborted when the client is gone. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** A request is whole: what came in so far is its, and is counted no more. */
  received(): void {
    this.#readBytes = this.socket.bytesRead
  }

  /** What it takes of memory, the more the longer it has done so: those who go on leave nothing behind, those who stop keep what they hold. */
  sweep(): number {
    const bytes = this.heldBytes
    this.#heldSweeps = bytes === 0 ? 0 : this.#heldSweeps + 1
    return bytes * this.#heldSweeps
  }

  /** From now on the client must read: after `sendMs` without a byte taken it is closed. */
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
    // Unless somebody has set another one meanwhile.
    if (this.socket.timeout === this.#sendMs) this.socket.setTimeout(0)
  }

  readonly #onLate = (): void => void this.socket.destroy()

  /** Bytes that it takes of memory: of a request that is coming in, of answers that are made, and of what the client has not read. */
  get heldBytes(): number {
    return this.socket.bytesRead - this.#readBytes + this.workBytes + this.socket.writableLength
  }
}

/**
 * The connections of a server. When they are too many, or take too much memory, the one goes that is least missed, so that no client can lock
 * others out: of the clients with the most connections the one that did nothing longest; of the client that takes most, for longest, the one
 * that does.
 */
export class Connections {
  readonly #limits: () => ConnectionLimits
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Whether an address is that of a proxy, behind which many clients are. */
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

  /** Takes a connection in, and destroys another one, or this one, where there are too many. */
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

  /** Frees memory where the connections take too much of it together. */
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

  /** All that are open now, to be closed with the server. */
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
    // Whoever has fewer than another may take its place, even where that one is at work; so may whoever has none.
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

  /** Idle ones first, then those that only listen, then those at work. False where all are busy, and none of them is to be disturbed. */
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
