import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { isPromise } from '../../awaitable.ts'
import { answerProbe, type Probes } from '../../health/probes.ts'
import type { Clock, Random } from '../../powers.ts'
import { type AllowanceLimits, Allowances } from '../allowance.ts'
import type { RpcBackend } from '../backend.ts'
import { Call, CallGivenUp } from '../call.ts'
import { type Answer, Dispatcher, type RpcLogger } from '../dispatch.ts'
import { RpcError } from '../errors.ts'
import { chosenSubprotocol, credentialsOf, upgradeCredentials } from '../identity/bearer.ts'
import type { IdentitySettings } from '../identity/settings.ts'
import type { RpcLimits } from '../limits.ts'
import type { Connection, Identity, Methods } from '../method.ts'
import { rpcMethods } from '../methods/index.ts'
import { openShared, type Shared } from '../shared.ts'
import { Access, type AccessSettings, clientOf } from './access.ts'
import { CallSlots } from './call-slots.ts'
import { type ClientConnection, Connections } from './connections.ts'
import { Gatekeeper } from './gatekeeper.ts'
import { serveHttp } from './http-feed.ts'
import { PlainLane } from './plain-lane.ts'
import { PlainReplies } from './plain-replies.ts'
import type { PlainRequest } from './plain-request.ts'
import { drain, preflightReply, type Reply, readBody, refusalReply, refuseUpgrade, sendReply } from './reply.ts'
import { SocketConnection } from './socket.ts'
import { HANDSHAKE_WEIGHT, TlsDoor, type TlsSettings } from './tls.ts'

/** Settings that can be changed while the server runs. */
export interface RpcSettings extends AccessSettings, AllowanceLimits {
  readonly limits: RpcLimits
  /** Whom the server answers; undefined: everyone, whatever the chain says, as a development chain does. */
  readonly identity: IdentitySettings | undefined
  /** Undefined: connections are not encrypted. */
  readonly tls: TlsSettings | undefined
}

export interface RpcServerOptions<Backend extends RpcBackend = RpcBackend> {
  readonly host: string
  /** 0 lets the operating system choose a free port. */
  readonly port: number
  readonly settings: RpcSettings
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'after'>
  readonly random: Random
  readonly logger: RpcLogger
  /** Methods to serve. Defaults to all methods of a node. */
  readonly methods?: Methods<Backend>
  /** Why reads are refused now; undefined while they are answered. */
  readonly readRefusal?: () => string | undefined
  readonly probes: Probes
}

export interface RpcServer {
  readonly host: string
  readonly port: number
  readonly counters: RpcCounters
  /** Applies new settings to requests from now on. */
  set(settings: RpcSettings): void
  /** Frees memory that can be refilled later. */
  dropCaches(): void
  /** Refuses new calls, ends subscriptions, and waits until running calls are answered. */
  close(): Promise<void>
}

/** Counters since the start, and gauges. */
export interface RpcCounters {
  readonly requests: number
  /** Requests that the rate limit refused. */
  readonly limited: number
  readonly connections: number
  readonly connectionsRefused: number
  readonly connectionsEvicted: number
  /** Subscriptions and streams. */
  readonly subscriptions: number
}

/** Serves JSON-RPC over HTTP (POST /) and WebSocket, and the probes, on one port. Rejects if it cannot listen. */
export async function startRpcServer<Backend extends RpcBackend>(
  backend: Backend,
  options: RpcServerOptions<Backend>,
): Promise<RpcServer> {
  const server = new HttpServer(backend, options)
  await server.listen(options.host, options.port)
  return server
}

const EXPLANATION = 'This is an Ethereum JSON-RPC endpoint: POST requests to it, or open a WebSocket.\n'

/** Content types as in go-ethereum. A browser page may send none of them to another origin without a CORS preflight. */
const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/json-rpc', 'application/jsonrequest'])

/** Maximum number of frames of one WebSocket message. Each takes about 100 bytes of overhead. */
const FRAGMENTS_MAX = 1_024
/** Maximum number of buffered chunks of one WebSocket message. Each takes about 100 bytes of overhead. */
const CHUNKS_MAX = 16_384

class HttpServer<Backend extends RpcBackend> implements RpcServer {
  readonly host: string
  readonly #options: RpcServerOptions<Backend>
  readonly #shared: Shared
  readonly #allowances: Allowances
  readonly #dispatcher: Dispatcher<Backend>
  readonly #connections: Connections
  readonly #http: Server
  readonly #webSockets: WebSocketServer
  readonly #pings: NodeJS.Timeout
  readonly #stopping = new AbortController()
  readonly #slots = new CallSlots()
  readonly #replies: PlainReplies
  readonly #gate: Gatekeeper
  #tls: TlsDoor | undefined
  #settings: RpcSettings
  #access: Access
  readonly #acceptAny: (socket: Socket) => void
  #isStopping = false
  #requests = 0
  #limited = 0

  constructor(backend: Backend, options: RpcServerOptions<Backend>) {
    const { settings, clock, random, logger } = options
    const { limits } = settings
    this.host = options.host
    this.#options = options
    this.#replies = new PlainReplies(clock)
    this.#settings = settings
    this.#access = new Access(settings)
    const onFailure = (err: unknown): void => logger.error({ err }, 'a subscription or stream failed')
    this.#shared = openShared(backend, { clock, random, limits, onFailure, onBlock: () => this.#gate.recheck() })
    this.#allowances = new Allowances(clock, settings)
    this.#gate = new Gatekeeper({ backend, clock, allowances: this.#allowances, logger }, settings.identity)
    this.#dispatcher = new Dispatcher({
      backend,
      methods: options.methods ?? rpcMethods,
      logger,
      allowances: this.#allowances,
      permission: (method, identity) => this.#gate.refusal(method, identity),
      readRefusal: options.readRefusal ?? (() => undefined),
    })
    this.#connections = new Connections(
      () => this.#settings.limits,
      clock,
      (address) => this.#access.isProxy(address),
    )
    const { headersMs, receiveMs, keepAliveMs, bodyBytesMax, pingMs } = limits
    const times = { headersTimeout: headersMs, requestTimeout: receiveMs, keepAliveTimeout: keepAliveMs }
    this.#http = createServer({ ...times, connectionsCheckingInterval: 1_000, noDelay: true, keepAlive: true })
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: bodyBytesMax,
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: CHUNKS_MAX,
      clientTracking: false,
      perMessageDeflate: false,
      handleProtocols: chosenSubprotocol,
    })
    // Take over Node's connection handler: it is called only once a connection needs more than the plain lane.
    const listeners = this.#http.listeners('connection') as ((this: Server, socket: Socket) => void)[]
    const [serve] = listeners
    if (serve === undefined || listeners.length > 1)
      throw new Error('this version of node:http has no single connection listener: it is not supported')
    this.#http.removeListener('connection', serve)
    const accept = (socket: Socket): void =>
      this.#accept(socket, (connection) => serveHttp(connection, () => serve.call(this.#http, socket)))
    this.#acceptAny = accept
    this.#tls = this.#tlsOf(settings)
    this.#http.on('connection', (socket: Socket) => {
      if (this.#tls === undefined) accept(socket)
      else if (this.#mayShakeHands(socket)) this.#tls.open(socket)
      else socket.destroy()
    })
    this.#http.on('request', (request, response) => void this.#onRequest(request, response))
    this.#http.on(
      'upgrade',
      (request: IncomingMessage, socket: Duplex, head: Buffer) => void this.#onUpgrade(request, socket, head),
    )
    this.#pings = setInterval(() => {
      for (const socket of this.#gate.sockets) socket.ping()
    }, pingMs).unref()
  }

  get port(): number {
    const address = this.#http.address()
    if (typeof address !== 'object' || address === null) throw new Error('the server is not listening on a port')
    return address.port
  }

  get counters(): RpcCounters {
    const { refused, evicted } = this.#connections.counters
    return {
      requests: this.#requests,
      limited: this.#limited,
      connections: this.#connections.count,
      connectionsRefused: refused,
      connectionsEvicted: evicted,
      subscriptions: this.#shared.hub.count + this.#shared.streams.count,
    }
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject)
      this.#http.listen({ host, port }, () => {
        this.#http.removeListener('error', reject)
        resolve()
      })
    })
  }

  set(settings: RpcSettings): void {
    this.#settings = settings
    this.#access = new Access(settings)
    this.#allowances.set(settings)
    this.#webSockets.options.maxPayload = settings.limits.bodyBytesMax
    this.#gate.set(settings.identity)
    if (this.#tls !== undefined && settings.tls !== undefined) this.#tls.set(settings.tls)
    else {
      this.#tls?.close()
      this.#tls = this.#tlsOf(settings)
    }
  }

  #tlsOf({ tls, limits }: RpcSettings): TlsDoor | undefined {
    return tls && new TlsDoor({ settings: tls, handshakeMs: limits.headersMs, onConnection: this.#acceptAny })
  }

  dropCaches(): void {
    this.#shared.texts.clear()
    this.#shared.streams.dropCaches()
  }

  async close(): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#pings)
    this.#gate.close()
    this.#tls?.close()
    for (const socket of this.#gate.sockets) socket.close()
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()))
    this.#stopping.abort()
    // Connections at work close after their responses.
    for (const { isAtWork, socket } of this.#connections.all()) if (!isAtWork) socket.destroy()
    await this.#shared.close()
    await closed
    this.#connections.close()
    this.#webSockets.close()
  }

  /** A handshake costs processor time before anything is known of the client but its address. */
  #mayShakeHands({ remoteAddress = '' }: Socket): boolean {
    return this.#access.isProxy(remoteAddress) || this.#allowances.take(clientOf(remoteAddress), HANDSHAKE_WEIGHT) === 0
  }

  #accept(socket: Socket, serve: (connection: ClientConnection) => void): void {
    this.#connections.accept(socket)
    const connection = this.#connections.of(socket)
    if (connection === undefined) return
    new PlainLane({
      ...{ connection, jsonTypes: JSON_TYPES, replies: this.#replies },
      handOver: () => serve(connection),
      limits: () => this.#settings.limits,
      takes: ({ head, body }) =>
        !this.#isStopping && body.length <= this.#settings.limits.bodyBytesMax && this.#access.allowsHost(head.host),
      answer: (request) => this.#answerPlain(request, connection),
      isStopping: () => this.#isStopping,
    })
  }

  #answerPlain({ head, body }: PlainRequest, connection: ClientConnection): Promise<Reply | undefined> {
    connection.activeMs = this.#options.clock.monotonic()
    connection.received()
    return this.#replyTo(body, connection, head.forwardedFor, head.authorization === undefined ? undefined : [head.authorization])
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connections.of(request.socket)
    // The connection was destroyed after some of its requests had been read.
    if (connection === undefined || request.socket.destroyed) return void request.socket.destroy()
    connection.activeMs = this.#options.clock.monotonic()
    connection.begun++
    // Pipelining: a client may send requests without waiting; the responses go back in order.
    if (connection.unanswered >= this.#settings.limits.pipelinedMax) return void request.socket.destroy()
    connection.unanswered++
    try {
      const reply = (await this.#withoutBody(request, connection)) ?? (await this.#withBody(request, connection))
      if (reply === undefined) request.socket.destroy()
      else await this.#send(request, response, connection, reply)
    } catch (err) {
      if (!connection.gone.aborted) this.#options.logger.error({ err }, 'http request failed')
      request.socket.destroy()
    } finally {
      connection.unanswered--
    }
  }

  async #send(request: IncomingMessage, response: ServerResponse, connection: ClientConnection, reply: Reply): Promise<void> {
    const { origin } = request.headers
    const allowed = this.#access.corsOrigin(origin)
    if (allowed !== undefined) response.setHeader('access-control-allow-origin', allowed)
    if (allowed !== undefined && allowed !== '*') response.setHeader('vary', 'origin')
    // Close the connection, because the server waits for all connections before it ends.
    if (this.#isStopping) response.setHeader('connection', 'close')
    connection.sending++
    await sendReply(response, connection, reply, this.#settings.limits.sendMs).finally(() => connection.sending--)
  }

  /** Replies to requests that need no body; undefined if the body must be read. */
  async #withoutBody(request: IncomingMessage, connection: ClientConnection): Promise<Reply | undefined> {
    const { method, headers, url = '/' } = request
    const path = url.split('?', 1)[0]!
    if (!this.#access.allowsHost(headers.host))
      return refusalReply(403, 'forbidden', `invalid host specified: ${headers.host} is not allowed, add it to rpc.allowed-hosts`)
    if (method === 'OPTIONS')
      return preflightReply(this.#access.corsOrigin(headers.origin), headers['access-control-request-headers'])
    if (method === 'GET' || method === 'HEAD') {
      connection.received()
      const waitMs = this.#allowances.take(this.#access.remoteOf(connection.peer, forwardedFor(request)), 1)
      return waitMs > 0 ? rateLimited(waitMs) : this.#probe(path)
    }
    if (method !== 'POST' || path !== '/')
      return refusalReply(
        404,
        'invalid-request',
        `not found: ${method} ${path.slice(0, 100)}, send JSON-RPC requests with POST /`,
      )
    const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
    if (type !== undefined && JSON_TYPES.has(type)) return undefined
    return refusalReply(
      415,
      'invalid-request',
      `invalid content type, only application/json is supported: this request has ${type?.slice(0, 100) ?? 'none'}`,
    )
  }

  /** Undefined if the client is gone. */
  async #withBody(request: IncomingMessage, connection: ClientConnection): Promise<Reply | undefined> {
    const { limits } = this.#settings
    const body = await readBody(request, connection, limits.bodyBytesMax)
    connection.received()
    if (body === 'gone') return undefined
    if (body === 'too-large') {
      drain(request, limits.drainMs)
      return refusalReply(413, 'request-too-large', `request body too large: the limit is ${limits.bodyBytesMax} bytes`)
    }
    const authorization = this.#gate.callers.takeTokens ? request.headersDistinct['authorization'] : undefined
    return this.#replyTo(body, connection, forwardedFor(request), authorization)
  }

  async #replyTo(
    body: Buffer,
    connection: ClientConnection,
    forwarded: string | undefined,
    authorization: readonly string[] | undefined,
  ): Promise<Reply | undefined> {
    const client = { remote: this.#access.remoteOf(connection.peer, forwarded), connection: connection.id }
    const found = authorization === undefined ? client : this.#gate.callers.identify(credentialsOf(authorization), client)
    const answer = await this.#answer(body, connection, isPromise(found) ? await found : found, undefined)
    if (answer === 'given-up') return undefined
    if (answer === undefined) return { status: 204, type: 'application/json', pieces: [''] }
    const { pieces, retryAfterMs } = answer
    if (retryAfterMs === undefined) return { status: 200, type: 'application/json', pieces }
    return { status: 429, type: 'application/json', pieces, headers: { 'retry-after': Math.ceil(retryAfterMs / 1_000) } }
  }

  async #probe(path: string): Promise<Reply> {
    try {
      const answer = await answerProbe(this.#options.probes, path)
      if (answer !== undefined) return { status: answer.status, type: answer.type, pieces: [answer.text] }
    } catch (err) {
      if (err instanceof RpcError) return refusalReply(503, 'overloaded', err.message)
      this.#options.logger.error({ err }, 'answering a health probe failed')
      return refusalReply(503, 'overloaded', 'the node did not answer the probe')
    }
    return { status: 405, type: 'text/plain', pieces: [EXPLANATION], headers: { allow: 'POST' } }
  }

  /** Undefined if there is no response to send. Never rejects. */
  async #answer(
    bytes: Buffer,
    connection: ClientConnection,
    identity: Identity,
    socket: Connection | undefined,
  ): Promise<Answer | 'given-up' | undefined> {
    this.#requests++
    connection.running++
    connection.workBytes += bytes.length
    const { limits } = this.#settings
    // The timeout includes the wait for a slot.
    const call = new Call({
      identity,
      limits,
      connection: socket,
      shared: this.#shared,
      clock: this.#options.clock,
      abandoned: [connection.gone, this.#stopping.signal],
      onBytes: (count) => {
        connection.workBytes += count
      },
      onUnits: (units) => this.#allowances.charge(identity.remote, units),
    })
    const place = this.#slots.take(identity, limits)
    if (place !== undefined) await place
    try {
      const given = this.#dispatcher.answer(bytes, call)
      const answer = isPromise(given) ? await given : given
      if (answer?.retryAfterMs !== undefined) this.#limited++
      return answer
    } catch (failure) {
      if (!(failure instanceof CallGivenUp)) this.#options.logger.error({ err: failure }, 'a request failed')
      return 'given-up'
    } finally {
      call.end()
      connection.running--
      connection.workBytes -= bytes.length
      this.#slots.release(identity, limits)
    }
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const connection = this.#connections.of(socket as Socket)
    if (connection !== undefined) connection.isWebSocket = true
    const { origin, host } = request.headers
    // A response to an earlier request would be written into the WebSocket stream.
    if (connection === undefined || connection.isAtWork || connection.unanswered > 0 || this.#isStopping)
      return void socket.destroy()
    if (!this.#access.allowsHost(host))
      return refuseUpgrade(socket, `invalid host specified: ${host} is not allowed, add it to rpc.allowed-hosts`)
    if (!this.#access.allowsSocket(origin)) return refuseUpgrade(socket, 'origin not allowed (CORS): add it to rpc.cors-origins')
    const client = { remote: this.#access.remoteOf(connection.peer, forwardedFor(request)), connection: connection.id }
    const found = this.#gate.callers.takeTokens ? this.#gate.callers.identify(upgradeCredentialsOf(request), client) : client
    if (isPromise(found)) {
      // Nobody reads the socket until the WebSocket does.
      socket.pause()
      const identity = await found
      if (socket.destroyed || this.#isStopping) return void socket.destroy()
      this.#openSocket(request, socket, head, connection, identity)
      socket.resume()
    } else this.#openSocket(request, socket, head, connection, found)
  }

  #openSocket(request: IncomingMessage, socket: Duplex, head: Buffer, connection: ClientConnection, client: Identity): void {
    if (client.fault !== undefined) return refuseUpgrade(socket, client.fault.message, '401 Unauthorized')
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const opened = new SocketConnection({
        ...{ socket: webSocket, connection, identity: client, hub: this.#shared.hub, streams: this.#shared.streams },
        limits: () => this.#settings.limits,
        refusal: (self) => this.#gate.refusalOf(self),
        answer: async (bytes, self) => {
          connection.activeMs = this.#options.clock.monotonic()
          const answer = await this.#answer(bytes, connection, client, self)
          return answer === 'given-up' ? undefined : answer?.pieces
        },
      })
      this.#gate.sockets.add(opened)
      webSocket.once('close', () => this.#gate.sockets.delete(opened))
    })
  }
}

const rateLimited = (retryAfterMs: number): Reply =>
  refusalReply(429, 'rate-limited', `rate limit exceeded: try again in ${retryAfterMs} ms`, { retryAfterMs })

/** X-Forwarded-For as one list. If the header occurs several times, that of the nearest proxy is the last. */
function forwardedFor({ headers }: IncomingMessage): string | undefined {
  const value = headers['x-forwarded-for']
  return Array.isArray(value) ? value.join(',') : value
}

const upgradeCredentialsOf = ({ headers, headersDistinct }: IncomingMessage) =>
  upgradeCredentials(headersDistinct['authorization'], headers['sec-websocket-protocol'])
