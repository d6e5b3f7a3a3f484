import type { ClientConnection } from './connections.ts'

/** Size of a piece that may contain several requests. The shortest valid request has about thirty bytes. */
const PIECE_BYTES_MIN = 512
/** Size of a piece of a body. */
const PIECE_BYTES_MAX = 4_096

/**
 * Lets `node:http` serve a connection, and feeds it the incoming bytes in small pieces. Its parser starts all requests of one piece before
 * it returns, even after the socket was destroyed: 2,000 requests in one packet would block the event loop for 100 ms.
 *
 * @param serve - Node's own handler for a new connection.
 */
export function serveHttp(connection: ClientConnection, serve: () => void): void {
  const { socket } = connection
  serve()
  const [parse, ...others] = socket.listeners('data') as ((piece: Buffer) => void)[]
  if (parse === undefined || others.length > 0)
    throw new Error('this version of node:http has no single data listener on a connection: it is not supported')
  socket.removeListener('data', parse)
  const feed = (chunk: Buffer): void => {
    let size = PIECE_BYTES_MIN
    for (let at = 0; at < chunk.length; ) {
      if (socket.destroyed) return
      // A client must not send anything before the server has accepted the WebSocket.
      if (connection.isWebSocket) return void socket.destroy()
      const before = connection.begun
      parse.call(socket, chunk.subarray(at, at + size))
      at += size
      size = connection.begun - before > 1 ? PIECE_BYTES_MIN : Math.min(2 * size, PIECE_BYTES_MAX)
    }
    if (connection.isWebSocket) socket.removeListener('data', feed)
  }
  socket.on('data', feed)
}
