import type { WebSocket } from '@fastify/websocket'
import { linkSignals, under } from '../abort.ts'
import { RPC_CODE, RpcError } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import type { Connection } from './method.ts'

/** Ids of subscriptions are unique in the process, so that a client that mixes connections up is refused instead of served wrongly. */
let lastId = 0

const CLOSE_TRY_AGAIN_LATER = 1013

/** One WebSocket: sends in order, runs its subscriptions, and closes a client that does not read. */
export class SocketConnection implements Connection {
  readonly #socket: WebSocket
  readonly #limits: RpcLimits
  readonly #onFailure: (failure: unknown) => void
  readonly #subscriptions = new Map<string, AbortController>()
  readonly #streams = new Set<Promise<void>>()
  readonly #closed = new AbortController()

  constructor(socket: WebSocket, limits: RpcLimits, onFailure: (failure: unknown) => void) {
    this.#socket = socket
    this.#limits = limits
    this.#onFailure = onFailure
    socket.once('close', () => this.#closed.abort())
  }

  /** Aborted when the client is gone. */
  get signal(): AbortSignal {
    return this.#closed.signal
  }

  subscribe(max: number, stream: (id: string, signal: AbortSignal) => Promise<void>): string {
    if (this.#subscriptions.size >= max) {
      throw new RpcError(RPC_CODE.limitExceeded, `this connection has ${max} subscriptions: end one before the next`)
    }
    const id = `0x${(++lastId).toString(16)}`
    const controller = new AbortController()
    this.#subscriptions.set(id, controller)
    const running = under(linkSignals(controller.signal, this.signal), (signal) => this.#run(id, stream, signal))
    this.#streams.add(running)
    void running.finally(() => this.#streams.delete(running))
    return id
  }

  async #run(id: string, stream: (id: string, signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await stream(id, signal)
    } catch (failure) {
      if (!signal.aborted) this.#onFailure(failure)
    } finally {
      this.#subscriptions.delete(id)
    }
  }

  unsubscribe(id: string): boolean {
    const controller = this.#subscriptions.get(id)
    controller?.abort()
    return this.#subscriptions.delete(id)
  }

  notify(subscription: string, result: unknown): Promise<void> {
    return this.send(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } }))
  }

  /** Resolves when the text was handed to the operating system, or the connection is gone. */
  send(text: string): Promise<void> {
    if (this.#socket.bufferedAmount > this.#limits.socketBufferBytesMax) {
      this.#socket.close(CLOSE_TRY_AGAIN_LATER, 'client reads too slowly')
      return Promise.resolve()
    }
    return new Promise((resolve) => this.#socket.send(text, () => resolve()))
  }

  /** Ends the connection and waits for its streams. */
  async close(): Promise<void> {
    this.#socket.terminate()
    this.#closed.abort()
    await Promise.all(this.#streams)
  }
}
