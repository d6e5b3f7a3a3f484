import type { WebSocket } from 'ws'
import { type Refusal, RpcError } from '../errors.ts'
import type { Hub, Sink, Topic } from '../hub.ts'
import type { RpcLimits } from '../limits.ts'
import type { Connection, Identity } from '../method.ts'
import type { Position } from '../streams/position.ts'
import type { StreamSource } from '../streams/source.ts'
import type { OpenStream, StreamHub } from '../streams/stream-hub.ts'
import type { ClientConnection } from './connections.ts'

const CLOSE_POLICY = 1008
const CLOSE_TRY_AGAIN_LATER = 1013
/** The JSON-RPC code of the same refusals (EIP-1193), which is in the range for applications. */
const CLOSE_UNAUTHORIZED = 4100
/** Longest reason that a close frame holds, in bytes (RFC 6455, 5.5). */
const CLOSE_REASON_BYTES_MAX = 123

const NOTHING: readonly string[] = []
const SUBSCRIPTIONS: readonly string[] = ['eth_subscribe']
const STREAMS: readonly string[] = ['quoin_subscribe']
const BOTH: readonly string[] = [...SUBSCRIPTIONS, ...STREAMS]

export interface SocketOptions {
  readonly socket: WebSocket
  readonly connection: ClientConnection
  readonly identity: Identity
  /** Why the caller may no longer have what the socket holds; undefined if it may. */
  readonly refusal: (socket: SocketConnection) => Refusal | undefined
  readonly limits: () => RpcLimits
  readonly hub: Hub
  readonly streams: StreamHub
  /** Answers one message; never rejects. */
  readonly answer: (bytes: Buffer, socket: SocketConnection) => Promise<readonly string[] | undefined>
}

/**
 * One WebSocket. It answers a bounded number of messages concurrently and stops reading at the limit, pushes notifications as fast as the
 * client reads them, and disconnects a client that does not read its responses or does not answer pings.
 */
export class SocketConnection implements Connection, Sink {
  readonly identity: Identity
  /** As quotas and turns count it. */
  readonly client: Identity
  readonly #options: SocketOptions
  readonly #subscriptions = new Map<string, () => void>()
  readonly #streams = new Map<string, OpenStream>()
  /** Messages that were already read, and wait for a running one to end. */
  readonly #waiting: Buffer[] = []
  #hasAnswered = true
  #isClosed = false

  constructor(options: SocketOptions) {
    this.#options = options
    this.identity = options.identity
    this.client = options.identity
    const { socket, connection, hub } = options
    socket.on('message', (message: Buffer) => this.#receive(message))
    socket.on('pong', () => {
      this.#hasAnswered = true
    })
    // An invalid frame, or a connection reset.
    socket.on('error', () => socket.terminate())
    connection.socket.on('drain', () => {
      if (this.#subscriptions.size > 0) hub.wake()
      for (const stream of this.#streams.values()) stream.resume()
    })
    socket.once('close', () => this.#end())
  }

  /** Also while the caller may not read: nothing of the block that decided so may reach it before it is closed. */
  get isFull(): boolean {
    const { socket, limits, refusal } = this.#options
    return socket.bufferedAmount > limits().socketFullBytes || refusal(this) !== undefined
  }

  subscribe(topic: Topic): string {
    const { limits, hub } = this.#options
    const { subscriptionsPerConnectionMax: max } = limits()
    if (this.#isClosed) throw new RpcError('stopping', 'the WebSocket connection is closed')
    if (this.#subscriptions.size >= max)
      throw new RpcError('quota-exceeded', `too many subscriptions: the limit per connection is ${max}; end one first`)
    const { id, end } = hub.subscribe(topic, this)
    this.#subscriptions.set(id, end)
    this.#count()
    return id
  }

  unsubscribe(id: string): boolean {
    this.#subscriptions.get(id)?.()
    const existed = this.#subscriptions.delete(id)
    this.#count()
    return existed
  }

  openStream(source: StreamSource, position: Position): OpenStream {
    const { limits, streams } = this.#options
    const { streamsPerConnectionMax: max } = limits()
    if (this.#isClosed) throw new RpcError('stopping', 'the WebSocket connection is closed')
    if (this.#streams.size >= max)
      throw new RpcError('quota-exceeded', `too many streams: the limit per connection is ${max}; end one first`)
    const stream = streams.open(source, position, this, (id) => this.#forget(id))
    this.#streams.set(stream.id, stream)
    this.#count()
    return stream
  }

  streamOf(id: string): OpenStream | undefined {
    return this.#streams.get(id)
  }

  endStream(id: string): boolean {
    this.#streams.get(id)?.end()
    return this.#forget(id)
  }

  #forget(id: string): boolean {
    const existed = this.#streams.delete(id)
    this.#count()
    return existed
  }

  #count(): void {
    this.#options.connection.subscriptions = this.#subscriptions.size + this.#streams.size
  }

  send(text: string): void {
    const { socket, limits } = this.#options
    if (this.#isClosed) return
    if (socket.bufferedAmount > limits().socketBufferBytesMax) {
      socket.close(CLOSE_TRY_AGAIN_LATER, 'client reads too slowly')
      // A client that does not read will not see the close frame either.
      socket.terminate()
      return
    }
    socket.send(text)
  }

  /** Sends a ping. Disconnects a client that has not answered the last one. */
  ping(): void {
    const { socket } = this.#options
    if (!this.#hasAnswered) return socket.terminate()
    this.#hasAnswered = false
    socket.ping()
  }

  /** Methods that have begun what this socket still holds. */
  get heldBy(): readonly string[] {
    if (this.#streams.size === 0) return this.#subscriptions.size === 0 ? NOTHING : SUBSCRIPTIONS
    return this.#subscriptions.size === 0 ? STREAMS : BOTH
  }

  /** The caller may not read any more: ends its subscriptions and streams, and closes the socket with the reason and as much of the message as a close
   * frame holds. */
  refuse({ data, message }: Refusal): void {
    if (this.#isClosed) return
    for (const stream of [...this.#streams.values()]) stream.refuse(message)
    const reason = typeof data === 'string' ? message : `${data.reason}: ${message}`
    this.#options.socket.close(CLOSE_UNAUTHORIZED, reason.replaceAll(/[^ -~]/g, '?').slice(0, CLOSE_REASON_BYTES_MAX))
    this.#end()
  }

  close(): void {
    this.#options.socket.terminate()
    this.#end()
  }

  #receive(message: Buffer): void {
    const { connection, limits, socket } = this.#options
    connection.received()
    // The close frame is on its way.
    if (this.#isClosed) return
    const { callsPerConnectionMax, callsWaitingMax } = limits()
    if (connection.running < callsPerConnectionMax) return void this.#run(message)
    socket.pause()
    connection.workBytes += message.length
    // Messages of the same read still arrive after pause().
    if (this.#waiting.push(message) > callsWaitingMax)
      socket.close(CLOSE_POLICY, `too many waiting requests: the limit is ${callsWaitingMax}`)
  }

  /** Answers a message and then the waiting ones, and resumes reading. */
  async #run(message: Buffer): Promise<void> {
    const { answer, socket } = this.#options
    for (let next: Buffer | undefined = message; next !== undefined; next = this.#nextWaiting()) {
      const pieces = await answer(next, this)
      if (pieces !== undefined) this.send(pieces.length === 1 ? pieces[0]! : pieces.join(''))
      if (this.#isClosed) return
    }
    if (socket.isPaused) socket.resume()
  }

  #nextWaiting(): Buffer | undefined {
    const next = this.#waiting.shift()
    this.#options.connection.workBytes -= next?.length ?? 0
    return next
  }

  #end(): void {
    this.#isClosed = true
    this.#waiting.length = 0
    for (const end of this.#subscriptions.values()) end()
    this.#subscriptions.clear()
    for (const stream of this.#streams.values()) stream.end()
    this.#streams.clear()
    this.#count()
  }
}
