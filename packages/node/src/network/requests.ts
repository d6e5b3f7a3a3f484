import type { Stream } from '@libp2p/interface'
import { concatBytes } from '@quoin/protocol'
import { linkDeadline, linkSignals } from '../abort.ts'
import { type Offence, type PeerId, TransportError } from '../powers.ts'
import type { NetworkCounters } from './counters.ts'
import { encodeFrames } from './frames.ts'
import type { NetworkLimits } from './limits.ts'
import type { NetworkLogger } from './logger.ts'
import type { Session } from './session.ts'
import { asError, finishStream, readFrame, unlessAborted } from './streams.ts'
import type { Timers } from './timers.ts'

/** First byte of an answer. */
const ANSWER = Uint8Array.of(0)
const REFUSED = Uint8Array.of(1)
const BUSY = Uint8Array.of(2)

export interface RequestsOptions {
  readonly protocol: string
  readonly limits: NetworkLimits
  readonly counters: NetworkCounters
  readonly logger: NetworkLogger
  readonly timers: Timers
  /** Answers a peer's request; undefined refuses it. */
  answer(peer: PeerId, message: Uint8Array): Promise<Uint8Array | undefined>
  offence(session: Session, offence: Offence, detail: string): void
}

/**
 * Requests with one answer, each on a stream of its own. The client writes one frame, the server writes one frame that begins with a status
 * byte (0 answer, 1 refused, 2 busy), then both close. Requests are limited per peer, and sizes are limited, in both directions.
 */
export class Requests {
  readonly #options: RequestsOptions

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** Rejects with TransportError only. */
  async ask(session: Session, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { limits, counters } = this.#options
    counters.requestsOut++
    const link = linkSignals(signal, session.signal)
    try {
      if (message.length > limits.requestBytesMax) {
        throw new TransportError(
          'oversized',
          `request of ${message.length} bytes exceeds the limit of ${limits.requestBytesMax} bytes`,
        )
      }
      const release = await session.slots.acquire(link.signal)
      if (release === undefined) throw new TransportError('failed', 'too many requests are queued for this peer')
      try {
        return await this.#exchange(session, message, link.signal)
      } finally {
        release()
      }
    } catch (failure) {
      counters.requestsFailed++
      if (failure instanceof TransportError) throw failure
      if (signal.aborted) throw new TransportError('aborted', asError(signal.reason).message)
      if (session.signal.aborted) throw new TransportError('disconnected', asError(session.signal.reason).message)
      throw new TransportError('failed', asError(failure).message)
    } finally {
      link.unlink()
    }
  }

  async #exchange(session: Session, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { protocol, limits } = this.#options
    const stream = await session.connection.newStream(protocol, { signal })
    try {
      stream.send(encodeFrames([message]))
      const answer = await readFrame(stream, 1 + limits.responseBytesMax, signal)
      if (!answer.ok) {
        if (answer.error.code === 'oversized') {
          this.#options.offence(session, 'oversized', answer.error.message)
          throw new TransportError('oversized', answer.error.message)
        }
        throw new Error(answer.error.message)
      }
      await finishStream(stream, signal)
      return this.#unwrap(session, answer.value)
    } catch (failure) {
      stream.abort(asError(failure))
      throw failure
    }
  }

  #unwrap(session: Session, frame: Uint8Array): Uint8Array {
    switch (frame[0]) {
      case ANSWER[0]:
        return frame.subarray(1)
      case REFUSED[0]:
        throw new TransportError('refused', 'the peer refused the request')
      case BUSY[0]:
        throw new TransportError('refused', 'the peer is busy with other requests')
      default:
        this.#options.offence(session, 'malformed', `answer has unknown status ${frame[0]}`)
        throw new TransportError('failed', `answer has unknown status ${frame[0]}`)
    }
  }

  /**
   * Serves one request, until it is answered or the session ends. Never rejects: any failure concerns this stream only. Even a refusal is
   * sent only after the request was read, because libp2p loses data that arrives together with the end of the stream while the client still
   * negotiates the protocol.
   */
  async serve(session: Session, stream: Stream): Promise<void> {
    const { limits, counters } = this.#options
    counters.requestsIn++
    const question = await this.#read(session, stream)
    if (question === undefined) return
    if (session.serving >= limits.requestsServedCountMax) {
      counters.requestsRefused++
      return this.#reply(session, stream, BUSY)
    }
    session.serving++
    try {
      const answer = await this.#answer(session, question)
      if (answer === undefined) counters.requestsRefused++
      await this.#reply(session, stream, answer === undefined ? REFUSED : concatBytes(ANSWER, answer))
    } finally {
      session.serving--
    }
  }

  async #read(session: Session, stream: Stream): Promise<Uint8Array | undefined> {
    const { limits, timers } = this.#options
    const link = linkDeadline(limits.requestReadMsMax, [session.signal], timers)
    try {
      const question = await readFrame(stream, limits.requestBytesMax, link.signal)
      if (question.ok) return question.value
      const { code, message } = question.error
      if (code === 'oversized') this.#options.offence(session, 'oversized', message)
      stream.abort(new Error(message))
      return undefined
    } finally {
      link.unlink()
    }
  }

  async #answer(session: Session, question: Uint8Array): Promise<Uint8Array | undefined> {
    const { limits, counters, logger } = this.#options
    try {
      const answer = await unlessAborted(this.#options.answer(session.peer, question), session.signal)
      if (answer === undefined || answer.length <= limits.responseBytesMax) return answer
      logger.warn({ peer: session.peer, bytes: answer.length }, 'the answer exceeds responseBytesMax: the request is refused')
      return undefined
    } catch (error) {
      // A bug in the handler must cost one answer, not the node.
      counters.handlerFaults++
      logger.warn({ peer: session.peer, error }, 'the request handler threw')
      return undefined
    }
  }

  async #reply(session: Session, stream: Stream, frame: Uint8Array): Promise<void> {
    const { limits, timers } = this.#options
    if (stream.status !== 'open') return
    const link = linkDeadline(limits.responseWriteMsMax, [session.signal], timers)
    try {
      stream.send(encodeFrames([frame]))
      await finishStream(stream, link.signal)
    } catch (failure) {
      // `send` throws if the peer reset the stream since the check above.
      stream.abort(asError(failure))
    } finally {
      link.unlink()
    }
  }
}
