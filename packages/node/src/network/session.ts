import { setMaxListeners } from 'node:events'
import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import type { Clock, Offence, PeerId } from '../powers.ts'
import type { NetworkCounters } from './counters.ts'
import { FrameDecoder } from './frames.ts'
import type { NetworkLimits } from './limits.ts'
import { Outbox } from './outbox.ts'
import { Slots } from './slots.ts'
import { abortConnection, asError, chunksOf } from './streams.ts'
import type { Timers } from './timers.ts'

/** Callbacks of a session. */
export interface SessionEvents {
  /** The ordered stream to the peer is open: the peer speaks our protocol on our chain. */
  ready(session: Session): void
  message(session: Session, message: Uint8Array): void
  offence(session: Session, offence: Offence, detail: string): void
  /** Called once, whichever side ended the session. */
  ended(session: Session, reason: string): void
}

export interface SessionOptions {
  readonly peer: PeerId
  readonly connection: Connection
  /** Protocol name of the ordered stream. */
  readonly protocol: string
  readonly clock: Clock
  readonly timers: Timers
  readonly limits: NetworkLimits
  readonly counters: NetworkCounters
  readonly events: SessionEvents
}

/**
 * One connection to an admitted peer with everything on it: an ordered stream per side (each side writes on the stream that it opened), and
 * slots for requests. A session is never repaired: when a part fails, the connection is closed, and both sides start with a new one.
 */
export class Session {
  readonly peer: PeerId
  readonly connection: Connection
  /** Monotonic ms. */
  readonly openedAt: number
  /** Slots for requests to the peer. */
  readonly slots: Slots
  /** Requests of the peer that are being answered. */
  serving = 0
  readonly #protocol: string
  readonly #limits: NetworkLimits
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #counters: NetworkCounters
  readonly #events: SessionEvents
  readonly #outbox: Outbox
  readonly #decoder: FrameDecoder
  readonly #abort = new AbortController()
  #state: 'opening' | 'ready' | 'ended' = 'opening'
  #wasReady = false
  #inbound: Stream | undefined
  /** When data last arrived on the peer's ordered stream, and when we last sent a heartbeat. */
  #heardAt: number
  #beatAt: number
  /** Heartbeats of the peer since then. */
  #beats = 0
  #cancelHeartbeat = () => {}

  constructor(options: SessionOptions) {
    this.peer = options.peer
    this.connection = options.connection
    this.openedAt = options.clock.monotonic()
    this.#heardAt = this.openedAt
    this.#beatAt = this.openedAt
    this.#limits = options.limits
    this.#clock = options.clock
    this.#timers = options.timers
    this.slots = new Slots(options.limits.requestsSentCountMax, options.limits.requestsWaitingCountMax)
    this.#protocol = options.protocol
    this.#counters = options.counters
    this.#events = options.events
    this.#outbox = new Outbox(options.limits, options.counters, (error) =>
      this.end(`ordered stream broke: ${asError(error).message}`),
    )
    this.#decoder = new FrameDecoder(options.limits.messageBytesMax)
    setMaxListeners(0, this.#abort.signal)
  }

  get ready(): boolean {
    return this.#state === 'ready'
  }

  /** Whether the session was ever ready. */
  get wasReady(): boolean {
    return this.#wasReady
  }

  /** Aborted when the session ends. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Opens our ordered stream. Never rejects: a failure ends the session. */
  async open(): Promise<void> {
    try {
      const stream = await this.connection.newStream(this.#protocol)
      if (this.#state === 'ended') return stream.abort(new Error('session ended'))
      stream.addEventListener('close', () => this.end('the peer closed our ordered stream'))
      this.#state = 'ready'
      this.#wasReady = true
      this.#outbox.attach(stream)
      this.#events.ready(this)
      this.#listen()
      this.#heartbeat()
    } catch (failure) {
      // The connection closed in the meantime, or the peer does not answer or speaks another protocol.
      this.end(`ordered stream refused: ${asError(failure).message}`)
    }
  }

  send(message: Uint8Array): void {
    this.#outbox.push(message)
  }

  /** Accepts the ordered stream that the peer opened. It is not read before this side is ready. */
  accept(stream: Stream): void {
    if (this.#state === 'ended' || this.#inbound !== undefined) return stream.abort(new Error('a second ordered stream'))
    this.#inbound = stream
    if (stream.status !== 'open') return this.end('the peer closed its ordered stream')
    stream.pause()
    this.#listen()
  }

  /** Closes the connection cleanly: queued messages are written first, as far as the peer takes them before the signal. */
  async close(signal: AbortSignal): Promise<void> {
    this.#outbox.flush()
    try {
      await this.connection.close({ signal })
    } catch (failure) {
      // The peer did not take the rest in time, or the connection broke while closing.
      abortConnection(this.connection, asError(failure))
    }
    this.end('closed')
  }

  end(reason: string): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#cancelHeartbeat()
    this.#outbox.close()
    this.#abort.abort(new Error(reason))
    // Not in the same turn: the call may come from a stream that the connection is aborting, or a stream may be opening. In both cases
    // yamux 8.0 would throw where nothing catches it.
    setImmediate(() => abortConnection(this.connection, new Error(reason)))
    this.#events.ended(this, reason)
  }

  #listen(): void {
    const stream = this.#inbound
    if (this.#state !== 'ready' || stream === undefined) return
    if (stream.status !== 'open') return this.end('the peer closed its ordered stream')
    stream.addEventListener('end', () => this.end('the peer ended its ordered stream'))
    stream.addEventListener('close', () => this.end('the peer closed its ordered stream'))
    stream.addEventListener('message', (event: StreamMessageEvent) => this.#receive(chunksOf(event.data)))
    stream.resume()
  }

  /** Sends a heartbeat, and ends the session if the peer has been silent for too long. */
  #heartbeat(): void {
    const { heartbeatMs, silenceMsMax } = this.#limits
    const now = this.#clock.monotonic()
    // This process was suspended: data that the peer sent in the meantime is not read yet.
    if (now - this.#beatAt > 2 * heartbeatMs) this.#heardAt = now
    this.#beatAt = now
    this.#beats = 0
    if (now - this.#heardAt > silenceMsMax) return this.end(`peer was silent for ${silenceMsMax} ms`)
    this.#outbox.beat()
    this.#cancelHeartbeat = this.#timers.after(heartbeatMs, () => this.#heartbeat())
  }

  #receive(chunks: Iterable<Uint8Array>): void {
    this.#heardAt = this.#clock.monotonic()
    for (const chunk of chunks) this.#decoder.push(chunk)
    // An offence that the handler reports can end the session in the middle of a chunk.
    while (this.#state === 'ready') {
      const frame = this.#decoder.next()
      if (!frame.ok) {
        this.#events.offence(this, 'oversized', frame.error.message)
        return this.end(frame.error.message)
      }
      if (frame.value === undefined) return
      if (frame.value.length === 0) {
        this.#beats++
        if (this.#beats <= this.#limits.heartbeatsCountMax) continue
        this.#events.offence(this, 'flood', `${this.#beats} heartbeats in one interval`)
        return this.end('too many heartbeats')
      }
      this.#counters.framesIn++
      this.#counters.bytesIn += frame.value.length
      this.#events.message(this, frame.value)
    }
  }
}
