import { STATUS_CODES } from 'node:http'
import { type Awaitable, whenThere } from '../../awaitable.ts'
import type { Clock } from '../../powers.ts'
import type { ClientConnection } from './connections.ts'
import { happened, JOINED_CHARS_MAX, type Reply, writeAll } from './reply.ts'

/** Options for sending a plain reply. */
export interface PlainSending {
  /** The server is closing its connections. */
  readonly isLast: boolean
  readonly keepAliveMs: number
  readonly sendMs: number
}

/** Writes replies to a socket without `node:http`, with the header fields that it would set (RFC 9110, 6.6.1). */
export class PlainReplies {
  readonly #clock: Pick<Clock, 'now'>
  #second = Number.NaN
  #date = ''

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Sends a reply; is done when `sendReply` would be: at once for a short reply to a client that reads. */
  send(connection: ClientConnection, reply: Reply, sending: PlainSending): Awaitable<void> {
    const { socket } = connection
    const { pieces } = reply
    const length = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)
    const head = this.#head(reply, length, sending)
    if (length > JOINED_CHARS_MAX) return sendLong(connection, [head, ...pieces], head.length + length, sending)
    const body = pieces.length === 1 ? pieces[0]! : pieces.join('')
    // If there are as many bytes as characters, the text is ASCII, and latin1 writes it faster.
    socket.write(head + body, body.length === length ? 'latin1' : 'utf8')
    return sent(connection, sending)
  }

  #head({ status, type, headers }: Reply, length: number, { isLast, keepAliveMs }: PlainSending): string {
    const connection = isLast ? 'close' : `keep-alive\r\nkeep-alive: timeout=${Math.floor(keepAliveMs / 1_000)}`
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ndate: ${this.#now()}\r\nconnection: ${connection}\r\n`
    if (headers !== undefined) for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`
    return status === 204 ? `${head}\r\n` : `${head}content-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`
  }

  /** The Date header, formatted once a second. */
  #now(): string {
    const nowMs = this.#clock.now()
    const second = Math.floor(nowMs / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#date = new Date(nowMs).toUTCString()
    }
    return this.#date
  }
}

async function sendLong(
  connection: ClientConnection,
  pieces: readonly string[],
  length: number,
  sending: PlainSending,
): Promise<void> {
  connection.workBytes += length
  const written = await writeAll(connection.socket, connection, pieces, sending.sendMs)
  connection.workBytes -= length - written
  await sent(connection, sending)
}

/** Waits until the client has read enough, then for its next request. */
function sent(connection: ClientConnection, { sendMs, keepAliveMs }: PlainSending): Awaitable<void> {
  const { socket } = connection
  const read = socket.writableNeedDrain ? happened(socket, 'drain', connection, sendMs) : undefined
  return whenThere(read, () => {
    if (socket.timeout !== keepAliveMs) socket.setTimeout(keepAliveMs)
  })
}
