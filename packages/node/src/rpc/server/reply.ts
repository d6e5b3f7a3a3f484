import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import { refusal } from '../errors.ts'
import type { RefusalReason } from '../refusal-reasons.ts'
import type { ClientConnection } from './connections.ts'

/** Pieces with at most this many characters in total are joined and sent as one text. */
export const JOINED_CHARS_MAX = 64 * 1024

export interface Reply {
  readonly status: number
  readonly type: 'application/json' | 'text/plain' | 'text/plain; version=0.0.4'
  readonly pieces: readonly string[]
  readonly headers?: Readonly<Record<string, string | number>>
}

/** An HTTP error with a JSON-RPC body, so that clients show the reason. */
export function refusalReply(status: number, reason: RefusalReason, message: string, details?: object): Reply {
  const text = JSON.stringify({ jsonrpc: '2.0', id: null, error: refusal(reason, message, details) })
  return { status, type: 'application/json', pieces: [text] }
}

/** Reply to a CORS preflight. `allowed` is the origin that may call; the browser blocks the request if it is undefined. */
export function preflightReply(allowed: string | undefined, wantedHeaders: string | undefined): Reply {
  if (allowed === undefined) return refusalReply(403, 'forbidden', 'origin not allowed (CORS): add it to rpc.cors-origins')
  const headers = {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': wantedHeaders ?? 'content-type',
    'access-control-max-age': 600,
  }
  return { status: 204, type: 'text/plain', pieces: [''], headers }
}

/** Refuses a WebSocket upgrade, and closes the socket. */
export function refuseUpgrade(socket: Duplex, reason: string, status = '403 Forbidden'): void {
  const body = `${reason}\n`
  const head = `connection: close\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}`
  socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${body}`, () => socket.destroy())
}

/**
 * Sends a reply. Resolves when the operating system has all of it, or the client is gone. A client that reads nothing for `sendMs` is
 * disconnected.
 */
export async function sendReply(
  response: ServerResponse,
  connection: ClientConnection,
  reply: Reply,
  sendMs: number,
): Promise<void> {
  const { status, type, pieces, headers } = reply
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  connection.workBytes += length
  let waiting = length
  if (length <= JOINED_CHARS_MAX) {
    const body = pieces.length === 1 ? pieces[0]! : pieces.join('')
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers })
    response.end(body)
  } else {
    response.writeHead(status, { 'content-type': type, ...headers })
    waiting -= await writeAll(response, connection, pieces, sendMs)
    response.end()
  }
  if (!response.writableFinished) await happened(response, 'finish', connection, sendMs)
  // Only now: the response may have waited behind responses to earlier requests.
  connection.workBytes -= waiting
}

/** Writes pieces with back-pressure. Returns the number of characters written in full chunks; fewer if the client is gone. */
export async function writeAll(
  target: Writable,
  connection: ClientConnection,
  pieces: readonly string[],
  sendMs: number,
): Promise<number> {
  let chunk = ''
  let written = 0
  for (const piece of pieces) {
    chunk += piece
    if (chunk.length < JOINED_CHARS_MAX) continue
    const isTaken = target.write(chunk)
    connection.workBytes -= chunk.length
    written += chunk.length
    chunk = ''
    if (!isTaken) await happened(target, 'drain', connection, sendMs)
    if (connection.gone.aborted) return written
  }
  if (chunk !== '') target.write(chunk)
  return written
}

/** Waits until the client has read the pending bytes, or is gone. */
export function happened(
  target: Writable,
  event: 'drain' | 'finish',
  connection: ClientConnection,
  sendMs: number,
): Promise<void> {
  if (connection.gone.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      connection.hasRead()
      target.removeListener(event, done)
      connection.gone.removeEventListener('abort', done)
      resolve()
    }
    connection.awaitReading(sendMs)
    target.once(event, done)
    connection.gone.addEventListener('abort', done, { once: true })
  })
}

/** Why a body was not read completely. */
export type BodyFault = 'too-large' | 'gone'

/** Memory overhead of a chunk, which may be as small as one byte. */
const CHUNK_BYTES = 128

/** Reads the body of a request, up to a limit. */
export async function readBody(
  request: IncomingMessage,
  connection: ClientConnection,
  bytesMax: number,
): Promise<Buffer | BodyFault> {
  let chunks = 0
  const count = (): void => {
    chunks++
    connection.workBytes += CHUNK_BYTES
  }
  request.on('data', count)
  const body = await collectBody(request, bytesMax)
  request.removeListener('data', count)
  connection.workBytes -= chunks * CHUNK_BYTES
  return body
}

function collectBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | BodyFault> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve('too-large')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) {
        request.removeAllListeners('data')
        resolve('too-large')
      } else chunks.push(chunk)
    })
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.once('close', () => resolve('gone'))
    // The connection was reset while the client sent.
    request.once('error', () => resolve('gone'))
  })
}

/**
 * Reads and discards the rest of a body for a while. Closing a connection while the client still writes resets it, and the response is
 * lost.
 */
export function drain(request: IncomingMessage, drainMs: number): void {
  request.resume()
  const timer = setTimeout(() => request.socket.destroy(), drainMs)
  request.once('close', () => clearTimeout(timer))
}
