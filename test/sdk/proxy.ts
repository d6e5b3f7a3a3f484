import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

/** A JSON-RPC request as it arrived. */
export interface Arrived {
  readonly id?: unknown
  readonly method: string
  readonly params?: readonly unknown[]
  readonly minHeight?: string
}

interface RpcFailure {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** What goes wrong; all may change while the proxy runs. */
export interface Faults {
  /** Before a request is forwarded. */
  delayMs?: number
  /** Accepts everything and answers nothing, as behind a connection that is half open. */
  freeze?: boolean
  /** Ends the connection before a request is forwarded, or after the node has answered. */
  drop?: 'before' | 'after'
  /** Forwards each request twice, and sends each answer twice over a WebSocket. */
  double?: boolean
  /** The node is behind: its head is this block. */
  head?: number
  /** A node that is behind answers as ADR 25 says. */
  knowsMinHeight?: boolean
  /** The node claims this head, in streams too, and has no such block. */
  claims?: number
  /** Answers with this HTTP status and a page for people. */
  status?: number
  refuse?: (request: Arrived) => RpcFailure | undefined
}

/** A node of a cluster: a forwarder to a real node, which can fail in every way that networks and nodes do. */
export class NodeProxy {
  readonly #target: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #halfOpen = new WeakSet<Socket>()
  readonly #webSockets = new WebSocketServer({ noServer: true })
  #port = 0
  faults: Faults = {}
  /** In the order of arrival. */
  readonly arrived: Arrived[] = []
  /** Connections that were opened so far. */
  connections = 0

  private constructor(target: string) {
    this.#target = target
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('connection', (socket: Socket) => {
      this.connections += 1
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
    })
    this.#server.on('upgrade', (request, socket, head) =>
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#serveSocket(webSocket, request.socket)),
    )
  }

  static async start(target: string): Promise<NodeProxy> {
    const proxy = new NodeProxy(target)
    await proxy.listen()
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get socketUrl(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  get openConnections(): number {
    return this.#sockets.size
  }

  /** How many requests of a method have arrived. */
  count(method: string): number {
    return this.arrived.filter((request) => request.method === method).length
  }

  /** Listens on the same port as before. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** As a killed process: connections are reset, new ones refused. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  /** Resets all connections; new ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** The connections that are open now stay open, and nothing comes back on them any more; new ones work. */
  halfOpen(): void {
    for (const socket of this.#sockets) this.#halfOpen.add(socket)
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.stop()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Pages of any origin may ask.
    response.setHeader('access-control-allow-origin', '*')
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { 'access-control-allow-headers': '*', 'access-control-max-age': '600' }).end()
      return
    }
    const body = await bodyOf(request)
    if (body === undefined || this.#halfOpen.has(request.socket)) return
    const arrived = JSON.parse(body) as Arrived
    const { status } = this.faults
    if (status !== undefined) {
      this.arrived.push(arrived)
      response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>')
      return
    }
    const answer = await this.#answer(arrived, () => request.socket.resetAndDestroy())
    if (answer === undefined || this.#halfOpen.has(request.socket)) return
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }

  #serveSocket(webSocket: WebSocket, socket: Socket): void {
    const far = new WebSocket(this.#target.replace('http', 'ws'))
    // Never, if it cannot be opened: then the near side is closed.
    const opened = new Promise<void>((resolve) => far.on('open', resolve))
    far.on('message', (data) => {
      if (this.faults.freeze !== true && !this.#halfOpen.has(socket)) webSocket.send((data as Buffer).toString())
    })
    far.on('error', () => webSocket.terminate())
    far.on('close', () => webSocket.terminate())
    webSocket.on('error', () => far.terminate())
    webSocket.on('close', () => far.terminate())
    webSocket.on('message', (data) => void this.#receive({ webSocket, socket, far, opened }, (data as Buffer).toString()))
  }

  async #receive({ webSocket, socket, far, opened }: NearSide, text: string): Promise<void> {
    if (this.#halfOpen.has(socket)) return
    const arrived = JSON.parse(text) as Arrived
    if (arrived.method === 'eth_subscribe' || arrived.method === 'eth_unsubscribe') {
      this.arrived.push(arrived)
      await opened
      far.send(text)
      return
    }
    const answer = await this.#answer(arrived, () => webSocket.terminate())
    if (answer === undefined || this.#halfOpen.has(socket)) return
    for (let times = this.faults.double === true ? 2 : 1; times > 0 && webSocket.readyState === WebSocket.OPEN; times--)
      webSocket.send(JSON.stringify(answer))
  }

  /** Undefined: there is no answer. */
  async #answer(request: Arrived, drop: () => void): Promise<object | undefined> {
    this.arrived.push(request)
    const { delayMs, freeze, double, refuse } = this.faults
    if (delayMs !== undefined) await delayed(delayMs)
    if (freeze === true) return undefined
    if (this.faults.drop === 'before') {
      drop()
      return undefined
    }
    const failure = refuse?.(request) ?? this.#behind(request)
    if (failure !== undefined) return { jsonrpc: '2.0', id: request.id, error: failure }
    const forwarded = this.#asOfHead(request)
    if (double === true) await this.#forward(forwarded)
    const answer = await this.#forward(forwarded)
    if (answer === undefined || this.faults.drop === 'after') {
      drop()
      return undefined
    }
    return answer
  }

  #behind({ minHeight }: Arrived): RpcFailure | undefined {
    const { head, knowsMinHeight } = this.faults
    if (knowsMinHeight !== true || head === undefined || minHeight === undefined || Number(minHeight) <= head) return undefined
    const data = { reason: 'behind', scope: 'node', height: head, minHeight: Number(minHeight) }
    return { code: -32002, message: `the head is block ${head}`, data }
  }

  /** A node that is behind answers about its own head. */
  #asOfHead(request: Arrived): Arrived {
    const { head } = this.faults
    if (head === undefined) return request
    const params = request.params?.map((param) => (param === 'latest' ? `0x${head.toString(16)}` : param))
    return { ...request, ...(params === undefined ? {} : { params }) }
  }

  /** Undefined: the node is gone. */
  async #forward(request: Arrived): Promise<object | undefined> {
    const { head, claims } = this.faults
    const shown = claims ?? head
    if (shown !== undefined && request.method === 'eth_blockNumber')
      return { jsonrpc: '2.0', id: request.id, result: `0x${shown.toString(16)}` }
    const { minHeight, ...rest } = request
    // What this proxy answers about is another head than the node's.
    const forwarded = minHeight === undefined || shown !== undefined ? rest : { ...rest, minHeight }
    const headers = { 'content-type': 'application/json' }
    try {
      const response = await fetch(this.#target, { method: 'POST', headers, body: JSON.stringify(forwarded) })
      const answer = (await response.json()) as Answered
      return claims !== undefined && isBatch(answer.result) ? claiming(answer, claims) : answer
    } catch (failure) {
      // What fetch throws when there is no connection, or the node dies while it answers.
      if (failure instanceof TypeError) return undefined
      throw failure
    }
  }
}

/** The client's side of a WebSocket, and the node's. */
interface NearSide {
  readonly webSocket: WebSocket
  readonly socket: Socket
  readonly far: WebSocket
  readonly opened: Promise<unknown>
}

interface Answered {
  readonly result?: unknown
}

/** A batch of a stream. */
interface Batch {
  readonly head: { readonly height: number }
}

const isBatch = (result: unknown): result is Batch => typeof result === 'object' && result !== null && 'head' in result

const claiming = (answer: Answered, height: number): object => {
  const batch = answer.result as Batch
  return { ...answer, result: { ...batch, head: { ...batch.head, height } } }
}

/** Undefined if the client leaves before its end. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ECONNRESET') return undefined
    throw failure
  }
  return Buffer.concat(chunks).toString()
}

/** The latency of a network. It keeps no process alive. */
function delayed(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(), ms)
    timer.unref()
  })
}
