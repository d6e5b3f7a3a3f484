import { connect, createServer, type Server, type Socket } from 'node:net'

const TICK_MS = 5

/** A TCP proxy on loopback with limited bandwidth in each direction. */
export class SlowLink {
  readonly port: number
  /** Bytes sent to the target. */
  carried = 0
  /** Stops forwarding without closing connections. */
  isCut = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  static open(targetPort: number, bytesPerSecond: number): Promise<SlowLink> {
    return new Promise((resolve) => {
      const server = createServer((near) => {
        const far = connect(targetPort, '127.0.0.1')
        link.#carry(near, far, bytesPerSecond, (bytes) => {
          link.carried += bytes
        })
        link.#carry(far, near, bytesPerSecond, () => {})
      })
      let link: SlowLink
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
        link = new SlowLink(server, address.port)
        resolve(link)
      })
    })
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #carry(from: Socket, to: Socket, bytesPerSecond: number, note: (bytes: number) => void): void {
    this.#sockets.add(from)
    const perTick = Math.ceil((bytesPerSecond * TICK_MS) / 1_000)
    const timer = setInterval(() => {
      if (this.isCut) return
      for (let left = perTick; left > 0; ) {
        const chunk: Buffer | null = from.read(Math.min(left, from.readableLength))
        if (chunk === null) break
        left -= chunk.length
        note(chunk.length)
        to.write(chunk)
      }
    }, TICK_MS)
    from.on('readable', () => {})
    from.once('error', () => to.destroy())
    from.once('close', () => {
      clearInterval(timer)
      to.destroy()
      this.#sockets.delete(from)
    })
  }
}
