import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { ClientConnection } from './connections.ts'
import { serveHttp } from './http-feed.ts'

let server: Server
const sockets: Socket[] = []

async function serve(listener: (connection: ClientConnection) => RequestListener): Promise<number> {
  server = createServer()
  const [node] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const connection = new ClientConnection(1, socket, 0)
    const listen = listener(connection)
    server.on('request', (request, response) => {
      connection.begun++
      listen(request, response)
    })
    server.on('upgrade', () => {
      connection.isWebSocket = true
    })
    serveHttp(connection, () => node!.call(server, socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
})

async function send(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

const GET = 'GET / HTTP/1.1\r\nHost: 1\r\n\r\n'

it('no more than one piece is parsed after a connection was destroyed', async () => {
  let begun = 0
  const port = await serve((connection) => () => {
    begun++
    if (begun > 16) connection.socket.destroy()
  })
  const socket = await send(port, GET.repeat(2_000))
  await once(socket, 'close')
  expect(begun).toBeGreaterThan(16)
  expect(begun).toBeLessThan(64)
})

it('passes a body completely, and the requests after it', async () => {
  const bodies: string[] = []
  const port = await serve(() => (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      bodies.push(body)
      response.end()
    })
  })
  const body = Array.from({ length: 60_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
  const post = `POST / HTTP/1.1\r\nHost: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const socket = await send(port, post + GET + post)
  let text = ''
  while (text.split('200 OK').length < 4) text += String((await once(socket, 'data'))[0])
  expect(bodies).toEqual([body, '', body])
})

it('closes a WebSocket whose client sent data before the server accepted it', async () => {
  const port = await serve(() => () => {})
  const upgrade = 'GET / HTTP/1.1\r\nHost: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  const socket = await send(port, upgrade + 'x'.repeat(10_000))
  await once(socket, 'close')
})
