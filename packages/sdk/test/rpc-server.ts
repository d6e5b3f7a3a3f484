import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

export interface RpcRequest {
  readonly id: unknown
  readonly method: string
  readonly params?: readonly unknown[]
  readonly minHeight?: string
}

/** The text to answer with; undefined: there is no answer. */
type Handler = (request: RpcRequest) => string | undefined

export const answer = (request: RpcRequest, result: unknown): string => JSON.stringify({ jsonrpc: '2.0', id: request.id, result })

export const refuse = (request: RpcRequest, code: number, message: string, data?: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id: request.id, error: { code, message, data } })

/** A server of JSON-RPC over HTTP and WebSocket; closed when the test is over. */
export async function startRpcServer(handler: Handler) {
  const requests: RpcRequest[] = []
  const sockets = new Set<Socket>()
  const clients: WebSocket[] = []
  let connections = 0
  const respond = (text: string): string | undefined => {
    const request = JSON.parse(text) as RpcRequest
    requests.push(request)
    return handler(request)
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const text = respond(Buffer.concat(chunks).toString())
    if (text !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  }
  const server = createServer((request, response) => void serve(request, response))
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
  })
  const webSockets = new WebSocketServer({ server })
  webSockets.on('connection', (client) => {
    clients.push(client)
    client.on('error', () => client.terminate())
    client.on('message', (data) => {
      const text = respond((data as Buffer).toString())
      if (text !== undefined) client.send(text)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return {
    url: `http://127.0.0.1:${port}`,
    socketUrl: `ws://127.0.0.1:${port}`,
    requests,
    /** Open connections. */
    sockets,
    connections: () => connections,
    /** Sends a text to every client over WebSocket. */
    push(text: string): void {
      for (const client of clients) client.send(text)
    },
    cut(): void {
      for (const socket of sockets) socket.resetAndDestroy()
    },
  }
}

/** Waits until a check passes. The limit is generous: it only bounds how long a failing test takes. */
export const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 5 })
