import { setMaxListeners } from 'node:events'
import cors from '@fastify/cors'
import websocket, { type WebSocket } from '@fastify/websocket'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type Link, linkDeadline, under } from '../abort.ts'
import type { Clock, Random } from '../powers.ts'
import type { RpcBackend } from './backend.ts'
import { Dispatcher, type RpcLogger } from './dispatch.ts'
import { RPC_CODE } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import type { Identity, Methods } from './method.ts'
import { rpcMethods } from './methods/index.ts'
import { ALWAYS_WELL, addProbes, type RpcHealth } from './probes.ts'
import { openShared } from './shared.ts'
import { SocketConnection } from './socket.ts'

export interface RpcServerOptions<Backend extends RpcBackend = RpcBackend> {
  readonly host: string
  /** 0 lets the operating system choose. */
  readonly port: number
  /** Origins that a browser page may call from; `*` is any. */
  readonly corsOrigins: readonly string[]
  /** Requests that one address may send in a minute; 0 is no limit. */
  readonly requestsPerMinuteMax: number
  readonly limits: RpcLimits
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Random
  readonly logger: RpcLogger
  /** What is served; every method of a node by default. */
  readonly methods?: Methods<Backend>
  /** Counters for `/metrics`, in the order in which they are shown. */
  readonly metrics: () => Readonly<Record<string, number>>
  /** What `/health` and `/ready` answer; by default that all is well. */
  readonly health?: RpcHealth
}

export interface RpcServer {
  readonly host: string
  readonly port: number
  /** Refuses new calls, ends subscriptions, answers what runs, and waits. */
  close(): Promise<void>
}

/** Serves JSON-RPC over HTTP (POST /) and WebSocket on one port, and `/health`, `/ready` and `/metrics`. Rejects when it cannot listen. */
export async function startRpcServer<Backend extends RpcBackend>(
  backend: Backend,
  options: RpcServerOptions<Backend>,
): Promise<RpcServer> {
  const { limits, health = ALWAYS_WELL } = options
  const stopping = new AbortController()
  const shared = openShared(backend, options)
  const connections = new Set<SocketConnection>()
  const dispatcher = new Dispatcher(backend, options.methods ?? rpcMethods, options.logger, () => health.readRefusal)
  const app = fastify({ bodyLimit: limits.bodyBytesMax, forceCloseConnections: 'idle', logger: false })

  app.server.maxConnections = limits.connectionsMax
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.setErrorHandler((failure: { readonly statusCode?: number; readonly message: string }, request, reply) => {
    if (failure.statusCode === 413) drain(request, reply, limits.drainMs)
    return refuse(failure, reply, options)
  })
  if (options.corsOrigins.length > 0) {
    await app.register(cors, {
      origin: options.corsOrigins.includes('*') ? '*' : [...options.corsOrigins],
      methods: ['GET', 'POST'],
    })
  }
  if (options.requestsPerMinuteMax > 0) {
    const { default: rateLimit } = await import('@fastify/rate-limit')
    await app.register(rateLimit, { max: options.requestsPerMinuteMax, timeWindow: 60_000 })
  }
  await app.register(websocket, { options: { maxPayload: limits.bodyBytesMax } })

  const callLink = (client: AbortSignal): Link => {
    const link = linkDeadline(limits.requestMs, [stopping.signal, client])
    // Each request of a batch may listen to it.
    setMaxListeners(limits.batchItemsMax, link.signal)
    return link
  }

  const onPost = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const client = new AbortController()
    reply.raw.once('close', () => {
      if (!reply.raw.writableEnded) client.abort()
    })
    const identity: Identity = { remote: request.ip }
    const text = typeof request.body === 'string' ? request.body : ''
    const answer = await under(callLink(client.signal), (signal) =>
      dispatcher.answer(text, { identity, signal, limits, shared, connection: undefined }),
    )
    // One that is kept open would hold up the end of the server, which waits for its connections.
    if (stopping.signal.aborted) reply.header('connection', 'close')
    return answer === undefined ? reply.code(204).send() : reply.type('application/json').send(answer)
  }

  const onSocket = (socket: WebSocket, request: FastifyRequest): void => {
    const connection = new SocketConnection(socket, limits, (err) => options.logger.error({ err }, 'subscription failed'))
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
    const identity: Identity = { remote: request.ip }
    socket.on('message', (message: Buffer) => {
      void under(callLink(connection.signal), (signal) =>
        answerSocket(dispatcher, connection, message.toString(), { identity, signal, limits, shared, connection }),
      )
    })
    socket.on('error', (err) => options.logger.error({ err }, 'websocket failed'))
  }

  app.route({ method: 'GET', url: '/', handler: explain, wsHandler: onSocket })
  app.post('/', onPost)
  addProbes(app, backend, health, options.metrics)

  await app.listen({ host: options.host, port: options.port })
  return {
    host: options.host,
    port: listeningPort(app),
    async close() {
      stopping.abort()
      await Promise.all([...connections].map((connection) => connection.close()))
      await app.close()
      shared.close()
    },
  }
}

async function answerSocket(
  dispatcher: Pick<Dispatcher<RpcBackend>, 'answer'>,
  connection: SocketConnection,
  text: string,
  call: Parameters<Dispatcher<RpcBackend>['answer']>[1],
): Promise<void> {
  const answer = await dispatcher.answer(text, call)
  if (answer !== undefined) await connection.send(answer)
}

/** Transport-level refusals as JSON-RPC errors, so that a client shows the reason: body too large (413), rate limit (429). */
function refuse(
  failure: { readonly statusCode?: number; readonly message: string },
  reply: FastifyReply,
  options: Pick<RpcServerOptions, 'limits' | 'logger'>,
): unknown {
  const status = failure.statusCode ?? 500
  if (status >= 500) options.logger.error({ err: failure }, 'http request failed')
  const code =
    status === 413 || status === 429 ? RPC_CODE.limitExceeded : status >= 500 ? RPC_CODE.internal : RPC_CODE.invalidRequest
  const message =
    status === 413
      ? `request body is larger than ${options.limits.bodyBytesMax} bytes`
      : status >= 500
        ? 'internal error'
        : failure.message
  return reply.code(status).send({ jsonrpc: '2.0', id: null, error: { code, message } })
}

/** A connection that is closed while the client still writes is reset, and the answer lost: read on for a while, and drop what comes. */
function drain({ raw }: FastifyRequest, reply: FastifyReply, drainMs: number): void {
  reply.removeHeader('connection')
  const timer = setTimeout(() => raw.destroy(), drainMs)
  raw.once('close', () => clearTimeout(timer))
}

const explain = (_request: FastifyRequest, reply: FastifyReply): unknown =>
  reply
    .code(405)
    .header('allow', 'POST')
    .type('text/plain')
    .send('This is an Ethereum JSON-RPC endpoint: POST requests to it, or open a WebSocket.\n')

function listeningPort(app: FastifyInstance): number {
  const address = app.server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server is not listening on a port')
  return address.port
}
