import type { ClientConnection } from './connections.ts'

/** A piece that may hold several requests, and one of a body. The shortest request that is one has some thirty bytes. */
const PIECE_BYTES_MIN = 512
const PIECE_BYTES_MAX = 4_096

/**
 * Lets `node:http` serve a connection, and gives it what comes in small pieces. Its parser begins all requests of one piece before anything
 * else can be done, also after the socket was destroyed: 2,000 that come in one packet would hold the loop for 100 ms. `serve` is
 * what Node.js does with a new connection.
 */
export function serveHttp(connection: ClientConnection, serve: () => void): void {
  const { socket } = connection
  serve()
  const [parse, ...others] = socket.listeners('data') as ((piece: Buffer) => void)[]
  if (parse === undefined || others.length > 0) throw new Error('node:http reads connections in an unknown way')
  socket.removeListener('data', parse)
  const feed = (chunk: Buffer): void => {
    let size = PIECE_BYTES_MIN
    for (let at = 0; at < chunk.length; ) {
      if (socket.destroyed) return
      // No client sends anything before the server has agreed to the WebSocket.
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
