import type { Socket } from 'node:net'
import { type Awaitable, isPromise, whenThere } from '../../awaitable.ts'
import type { ClientConnection } from './connections.ts'
import type { PlainReplies } from './plain-replies.ts'
import { type PlainRequest, PlainRequests } from './plain-request.ts'
import type { Reply } from './reply.ts'

export interface PlainLaneOptions {
  readonly connection: ClientConnection
  readonly jsonTypes: ReadonlySet<string>
  readonly replies: PlainReplies
  readonly limits: () => { readonly headersMs: number; readonly keepAliveMs: number; readonly sendMs: number }
  /** Whether the request may be answered by this lane. */
  readonly takes: (request: PlainRequest) => boolean
  /** Makes the reply; undefined if the connection must be closed instead. Never rejects. */
  readonly answer: (request: PlainRequest) => Promise<Reply | undefined>
  /** Hands the connection over to `node:http` for good. */
  readonly handOver: () => void
  /** Whether the server is closing its connections. */
  readonly isStopping: () => boolean
}

/**
 * Fast path: answers the plain requests of a connection directly from its socket, in a third of the time of `node:http`
 * (docs/benchmarks.md, "Reads"). It never buffers a part of a request: the first chunk that is not exactly one complete plain request is
 * handed to `node:http`, together with the connection.
 */
export class PlainLane {
  readonly #options: PlainLaneOptions
  readonly #socket: Socket
  readonly #requests: PlainRequests
  #isBusy = false
  /** Bytes that arrived while a request was being answered. */
  #early: Buffer | undefined

  constructor(options: PlainLaneOptions) {
    this.#options = options
    this.#socket = options.connection.socket
    this.#requests = new PlainRequests(options.jsonTypes)
    this.#socket.on('data', this.#onData)
    this.#socket.on('end', this.#onEnd)
    this.#socket.on('timeout', this.#onTimeout)
    this.#socket.setTimeout(options.limits().headersMs)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isBusy) {
      // The client sends more before it has its response (pipelining); `node:http` keeps the order of such requests.
      this.#early = chunk
      this.#socket.pause()
      return
    }
    const request = this.#requests.read(chunk)
    if (request === undefined || !this.#options.takes(request)) this.#leave(chunk)
    else void this.#serve(request)
  }

  /** The client has closed its sending side. As in `node:http`, it is treated as gone. */
  readonly #onEnd = (): void => void this.#socket.end()

  readonly #onTimeout = (): void => {
    if (!this.#options.connection.isAtWork) this.#socket.destroy()
  }

  async #serve(request: PlainRequest): Promise<void> {
    this.#isBusy = true
    const reply = await this.#options.answer(request)
    if (reply === undefined || !this.#socket.writable) return void this.#socket.destroy()
    const sent = this.#send(reply)
    if (isPromise(sent)) await sent
    this.#isBusy = false
    if (this.#early !== undefined) this.#leave(this.#early)
    else if (this.#options.isStopping()) this.#socket.end()
  }

  #send(reply: Reply): Awaitable<void> {
    const { connection, replies, limits, isStopping } = this.#options
    const { keepAliveMs, sendMs } = limits()
    connection.sending++
    return whenThere(replies.send(connection, reply, { isLast: isStopping(), keepAliveMs, sendMs }), () => {
      connection.sending--
    })
  }

  #leave(chunk: Buffer): void {
    const socket = this.#socket
    if (socket.destroyed) return
    socket.pause()
    socket.removeListener('data', this.#onData)
    socket.removeListener('end', this.#onEnd)
    socket.removeListener('timeout', this.#onTimeout)
    socket.setTimeout(0)
    socket.unshift(chunk)
    this.#options.handOver()
    socket.resume()
  }
}
