import { setMaxListeners } from 'node:events'
import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import type { Offence, PeerId } from '../powers.ts'
import type { NetworkCounters } from './counters.ts'
import { FrameDecoder } from './frames.ts'
import type { NetworkLimits } from './limits.ts'
import { Outbox } from './outbox.ts'
import { Slots } from './slots.ts'
import { asError } from './streams.ts'

export interface SessionEvents {
  /** The ordered stream to the peer is open: it speaks our protocol on our chain. */
  ready(session: Session): void
  message(session: Session, message: Uint8Array): void
  offence(session: Session, offence: Offence, detail: string): void
  /** Once, whoever ended it. */
  ended(session: Session, reason: string): void
}

export interface SessionOptions {
  readonly peer: PeerId
  readonly connection: Connection
  /** Protocol of the ordered stream. */
  readonly protocol: string
  /** Monotonic ms. */
  readonly openedAt: number
  readonly limits: NetworkLimits
  readonly counters: NetworkCounters
  readonly events: SessionEvents
}

/**
 * One connection to an admitted peer and everything that lives on it: the ordered stream of each side (each writes on the one that it
 * opened), the places for requests. A session never heals: when one of its parts fails the connection goes, and a new one begins
 * afresh on both sides.
 */
export class Session {
  readonly peer: PeerId
  readonly connection: Connection
  readonly openedAt: number
  /** Places for requests to the peer. */
  readonly slots: Slots
  /** Requests of the peer that are being answered. */
  serving = 0
  readonly #protocol: string
  readonly #counters: NetworkCounters
  readonly #events: SessionEvents
  readonly #outbox: Outbox
  readonly #decoder: FrameDecoder
  readonly #abort = new AbortController()
  #state: 'opening' | 'ready' | 'ended' = 'opening'
  #wasReady = false
  #inbound: Stream | undefined

  constructor(options: SessionOptions) {
    this.peer = options.peer
    this.connection = options.connection
    this.openedAt = options.openedAt
    this.slots = new Slots(options.limits.requestsSentCountMax, options.limits.requestsWaitingCountMax)
    this.#protocol = options.protocol
    this.#counters = options.counters
    this.#events = options.events
    this.#outbox = new Outbox(options.limits, options.counters)
    this.#decoder = new FrameDecoder(options.limits.messageBytesMax)
    setMaxListeners(0, this.#abort.signal)
  }

  get ready(): boolean {
    return this.#state === 'ready'
  }

  /** Whether it was ready at some time. */
  get wasReady(): boolean {
    return this.#wasReady
  }

  /** Aborts when the session ends. */
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
    } catch (failure) {
      // A connection that closes meanwhile, a peer that does not answer, or one that speaks another protocol.
      this.end(`ordered stream refused: ${asError(failure).message}`)
    }
  }

  send(message: Uint8Array): void {
    this.#outbox.push(message)
  }

  /** Takes the ordered stream that the peer opened. Nothing of it is read before this side is ready. */
  accept(stream: Stream): void {
    if (this.#state === 'ended' || this.#inbound !== undefined) return stream.abort(new Error('a second ordered stream'))
    this.#inbound = stream
    if (stream.status !== 'open') return this.end('the peer closed its ordered stream')
    stream.pause()
    this.#listen()
  }

  /** Ends the connection in order: what waits is written first, as far as the peer takes it before the signal. */
  async close(signal: AbortSignal): Promise<void> {
    this.#outbox.flush()
    try {
      await this.connection.close({ signal })
    } catch (failure) {
      // The peer did not take the rest in time, or the connection broke while closing.
      this.connection.abort(asError(failure))
    }
    this.end('closed')
  }

  end(reason: string): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#outbox.close()
    this.#abort.abort(new Error(reason))
    if (this.connection.status === 'open') this.connection.abort(new Error(reason))
    this.#events.ended(this, reason)
  }

  #listen(): void {
    const stream = this.#inbound
    if (this.#state !== 'ready' || stream === undefined) return
    if (stream.status !== 'open') return this.end('the peer closed its ordered stream')
    stream.addEventListener('end', () => this.end('the peer ended its ordered stream'))
    stream.addEventListener('close', () => this.end('the peer closed its ordered stream'))
    stream.addEventListener('message', (event: StreamMessageEvent) => this.#receive(event.data.subarray()))
    stream.resume()
  }

  #receive(chunk: Uint8Array): void {
    this.#decoder.push(chunk)
    // An offence that the handler reports may end the session in the middle of a chunk.
    while (this.#state === 'ready') {
      const frame = this.#decoder.next()
      if (!frame.ok) {
        this.#events.offence(this, frame.error.code === 'oversized' ? 'oversized' : 'malformed', frame.error.message)
        return this.end(frame.error.message)
      }
      if (frame.value === undefined) return
      this.#counters.framesIn++
      this.#counters.bytesIn += frame.value.length
      this.#events.message(this, frame.value)
    }
  }
}
