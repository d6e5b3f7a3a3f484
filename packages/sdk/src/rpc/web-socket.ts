import { stringify } from 'viem'
import { ConnectionError, isObject, toError } from '../errors.ts'
import {
  bodyOf,
  type NodeConnection,
  RESPONSE_BYTES_MAX,
  type RequestOptions,
  type RpcCall,
  type Subscription,
  type SubscriptionListener,
  shownUrl,
} from './connection.ts'
import { closedError, rpcError, timedOut, tooLarge } from './http.ts'

/** What this library needs of a WebSocket: the platform's, and the class of the package `ws`, have it. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(text: string): void
  close(): void
}

/** A class of WebSockets. */
export type WebSocketClass = new (url: string) => WebSocketLike

interface Pending {
  readonly body: { readonly method: string }
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** One open socket, and what waits for it. */
interface Session {
  readonly socket: WebSocketLike
  readonly opened: Promise<void>
  readonly pending: Map<number, Pending>
  readonly subscriptions: Map<string, SubscriptionListener>
  /** Messages received, to tell a silent socket from a slow answer. */
  received: number
}

/**
 * The way to a node over one WebSocket of its own. It is opened by the first request, and again by the first request after it was lost. What waits
 * when it is lost is rejected, and each subscription is told: nothing is lost in silence.
 *
 * @param webSocket the class to use; default: the platform's, which Node.js has from version 22
 */
export function webSocketConnection(url: string, webSocket?: WebSocketClass): NodeConnection {
  return new SocketConnection(url, webSocket)
}

class SocketConnection implements NodeConnection {
  readonly url: string
  readonly #target: string
  readonly #webSocket: WebSocketClass | undefined
  #session: Session | undefined
  #nextId = 1
  #isClosed = false

  constructor(url: string, webSocket: WebSocketClass | undefined) {
    this.url = shownUrl(url)
    this.#target = url
    this.#webSocket = webSocket
  }

  request(call: RpcCall, options: RequestOptions): Promise<unknown> {
    return this.#exchange(call, options, (result) => result)
  }

  subscribe = async (
    params: readonly unknown[],
    listener: SubscriptionListener,
    options: RequestOptions,
  ): Promise<Subscription> => {
    // Registered while the answer is handled: the first item may be in the next message.
    const { id, session } = await this.#exchange({ method: 'eth_subscribe', params }, options, (result, own) => {
      if (typeof result !== 'string') throw this.#malformed('eth_subscribe')
      own.subscriptions.set(result, listener)
      return { id: result, session: own }
    })
    return {
      id,
      unsubscribe: async () => {
        if (!session.subscriptions.delete(id) || this.#session !== session) return
        await this.request({ method: 'eth_unsubscribe', params: [id] }, { timeoutMs: options.timeoutMs })
      },
    }
  }

  disconnect(): void {
    if (this.#session !== undefined) this.#lose(this.#session, this.#lost())
  }

  close(): void {
    this.#isClosed = true
    if (this.#session !== undefined) this.#lose(this.#session, closedError(this.url))
  }

  /** Sends a request and waits for its answer. `take` runs in the event of the answer. */
  #exchange<T>(call: RpcCall, { timeoutMs, signal }: RequestOptions, take: (result: unknown, session: Session) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#isClosed) return reject(closedError(this.url))
      if (signal?.aborted === true) return reject(toError(signal.reason))
      const id = this.#nextId++
      const body = bodyOf(call)
      const text = stringify({ jsonrpc: '2.0', id, ...body })
      const session = this.#openSession(reject)
      if (session === undefined) return
      const receivedBefore = session.received
      const end = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        session.pending.delete(id)
      }
      const fail = (error: Error): void => {
        end()
        reject(error)
      }
      const giveUp = (error: Error): void => {
        fail(error)
        if (call.method === 'eth_subscribe') this.#discard(session, id)
      }
      const abort = (): void => giveUp(toError(signal?.reason))
      const timer = setTimeout(() => {
        giveUp(timedOut(this.url, call.method, timeoutMs))
        // Not a byte in all this time: the other end is gone, and no close event will say so.
        if (session.received === receivedBefore) this.#lose(session, this.#lost())
      }, timeoutMs)
      signal?.addEventListener('abort', abort)
      const succeed = (result: unknown): void => {
        end()
        try {
          resolve(take(result, session))
        } catch (error) {
          reject(toError(error))
        }
      }
      session.pending.set(id, { body, resolve: succeed, reject: fail })
      // If it does not open, everything that is pending is rejected.
      void session.opened.then(() => {
        if (session.pending.get(id)?.resolve === succeed) session.socket.send(text)
      })
    })
  }

  /** The subscription of an answer that nobody waits for any more is ended when the answer comes. */
  #discard(session: Session, id: number): void {
    const ignore = (): void => undefined
    const unsubscribe = (result: unknown): void => {
      session.pending.delete(id)
      if (this.#session !== session) return
      const body = bodyOf({ method: 'eth_unsubscribe', params: [result] })
      session.socket.send(stringify({ jsonrpc: '2.0', id: this.#nextId++, ...body }))
    }
    session.pending.set(id, { body: { method: 'eth_subscribe' }, resolve: unsubscribe, reject: ignore })
  }

  #openSession(reject: (error: Error) => void): Session | undefined {
    if (this.#session !== undefined) return this.#session
    const WebSocket = this.#webSocket ?? (globalThis as { readonly WebSocket?: WebSocketClass }).WebSocket
    if (WebSocket === undefined) {
      reject(new ConnectionError('no-web-socket', this.url, NO_WEB_SOCKET))
      return undefined
    }
    let socket: WebSocketLike
    try {
      socket = new WebSocket(this.#target)
    } catch (error) {
      reject(this.#lost(toError(error)))
      return undefined
    }
    const opened = new Promise<void>((resolve) => {
      socket.onopen = () => resolve()
    })
    const session: Session = { socket, opened, pending: new Map(), subscriptions: new Map(), received: 0 }
    socket.onmessage = (event: { readonly data: unknown }) => this.#receive(session, event.data)
    socket.onclose = () => this.#lose(session, this.#lost())
    socket.onerror = (event: { readonly message?: unknown }) => {
      const { message } = event
      this.#lose(session, this.#lost(typeof message === 'string' && message !== '' ? new Error(message) : undefined))
    }
    this.#session = session
    return session
  }

  #receive(session: Session, data: unknown): void {
    session.received += 1
    if (typeof data !== 'string') return
    if (data.length > RESPONSE_BYTES_MAX) return this.#lose(session, tooLarge(this.url))
    const message = parseJson(data)
    if (!isObject(message)) return this.#lose(session, this.#malformed('a request'))
    const { id, method, params, error, result } = message
    if (method === 'eth_subscription' && isObject(params) && typeof params['subscription'] === 'string') {
      const { subscription } = params
      session.subscriptions.get(subscription)?.onData({ subscription, result: params['result'] })
      return
    }
    const pending = typeof id === 'number' ? session.pending.get(id) : undefined
    // The answer to a request that was given up.
    if (pending === undefined) return
    if (error !== undefined) pending.reject(rpcError(error, pending.body, this.url))
    else if (result === undefined) pending.reject(this.#malformed(pending.body.method))
    else pending.resolve(result)
  }

  /** Leaves a socket: everything that depends on it ends with the error. */
  #lose(session: Session, error: Error): void {
    if (this.#session === session) this.#session = undefined
    const { socket, pending, subscriptions } = session
    socket.onopen = socket.onmessage = socket.onclose = null
    // A socket that is left may still fail, and `ws` throws what nobody listens to.
    socket.onerror = () => undefined
    // Without waiting for the other side, where the class can do that: a dead one would keep the process alive.
    if ('terminate' in socket && typeof socket.terminate === 'function') (socket as unknown as { terminate(): void }).terminate()
    else socket.close()
    for (const { reject } of [...pending.values()]) reject(error)
    const listeners = [...subscriptions.values()]
    subscriptions.clear()
    for (const listener of listeners) listener.onError(error)
  }

  #lost(cause?: Error): ConnectionError {
    return new ConnectionError('lost', this.url, `The connection to ${this.url} was lost, or could not be opened.`, cause)
  }

  #malformed(method: string): ConnectionError {
    return new ConnectionError('malformed', this.url, `The node ${this.url} answered ${method} with no JSON-RPC response.`)
  }
}

const NO_WEB_SOCKET =
  'This platform has no WebSocket (Node.js has one from version 22). Pass a class as the option webSocket, such as that of the package ws, or use an http URL.'

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
