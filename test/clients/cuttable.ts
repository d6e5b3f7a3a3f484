import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A forwarder of connections whose path can be cut, as a network or a restarted node cuts it. */
export interface Cuttable {
  /** The URL of the node behind it, for HTTP. */
  readonly url: string
  /** Breaks all connections; new ones are forwarded again. */
  cut(): void
  close(): Promise<void>
}

/** Forwards a free port to a node. */
export async function cuttable(target: string): Promise<Cuttable> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  const hold = (socket: Socket, other: Socket): void => {
    open.add(socket)
    // Resets are what this is for; the close that follows ends both sides.
    socket.on('error', () => other.destroy()).on('close', () => void (open.delete(socket), other.destroy()))
  }
  const server = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port) })
    hold(near, far)
    hold(far, near)
    near.pipe(far).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of open) socket.resetAndDestroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    async close() {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}
