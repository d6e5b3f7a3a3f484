import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Closable } from '../lifecycle.ts'
import { ListenError } from '../listen-error.ts'
import { answerProbe, type Probes } from './probes.ts'

export const PROBE_LIMITS = {
  /** Open connections. At the limit, a new one replaces the oldest. */
  connectionsMax: 64,
  /** Timeout for a client to send its request. */
  requestMs: 2_000,
  /** Maximum size of a request's headers. */
  headerBytesMax: 8 * 1024,
} as const

/**
 * Answers `/health`, `/ready` and `/metrics` on a separate port, in the node's thread, so that operators get an answer whatever clients do to
 * the RPC. A connection answers one probe and closes.
 */
export class ProbeServer implements Closable {
  readonly #http: Server
  readonly #probes: Probes
  readonly #onFailure: (error: unknown) => void
  /** Open connections, oldest first. */
  readonly #sockets = new Set<Socket>()

  /** @throws {ListenError} If the server cannot listen on the address. */
  static async start(
    { host, port }: { readonly host: string; readonly port: number },
    probes: Probes,
    onFailure: (error: unknown) => void,
  ): Promise<ProbeServer> {
    const server = new ProbeServer(probes, onFailure)
    await server.#listen(host, port)
    return server
  }

  private constructor(probes: Probes, onFailure: (error: unknown) => void) {
    this.#probes = probes
    this.#onFailure = onFailure
    const { requestMs, headerBytesMax } = PROBE_LIMITS
    this.#http = createServer({
      ...{ headersTimeout: requestMs, requestTimeout: requestMs, maxHeaderSize: headerBytesMax },
      connectionsCheckingInterval: requestMs,
    })
    this.#http.on('connection', (socket: Socket) => this.#accept(socket))
    this.#http.on('request', (request, response) => void this.#answer(request, response))
  }

  get port(): number {
    const address = this.#http.address()
    if (typeof address !== 'object' || address === null) throw new Error('the server is not listening on a port')
    return address.port
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#http.close(() => resolve())
      for (const socket of this.#sockets) socket.destroy()
    })
  }

  #listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#http.once('error', (error: NodeJS.ErrnoException) =>
        reject(new ListenError('health', error.code, error.message, port)),
      )
      this.#http.listen({ host, port }, resolve)
    })
  }

  #accept(socket: Socket): void {
    for (const oldest of this.#sockets) {
      if (this.#sockets.size < PROBE_LIMITS.connectionsMax) break
      this.#sockets.delete(oldest)
      oldest.destroy()
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('connection', 'close')
    try {
      const answer = request.method === 'GET' ? await answerProbe(this.#probes, (request.url ?? '').split('?', 1)[0]!) : undefined
      if (answer === undefined)
        response
          .writeHead(404, { 'content-type': 'text/plain' })
          .end('Not found. Available paths: /health, /ready and /metrics.\n')
      else response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.text)
    } catch (failure) {
      this.#onFailure(failure)
      response.writeHead(500).end()
    }
  }
}
