import { WebSocket } from 'ws'

const AGAIN_MS = 250

/** Receives each new block of a node over a WebSocket, and reconnects when the connection is lost. */
export class Heads {
  readonly #port: number
  readonly #localAddress: string
  readonly #onHead: (height: number) => void
  #latest = 0
  #socket: WebSocket | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(port: number, localAddress: string, onHead: (height: number) => void) {
    this.#port = port
    this.#localAddress = localAddress
    this.#onHead = onHead
    this.#connect()
  }

  /** Height of the newest block received; 0 before the first. */
  get latest(): number {
    return this.#latest
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#socket?.terminate()
  }

  #connect(): void {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}`, { localAddress: this.#localAddress, handshakeTimeout: 3_000 })
    this.#socket = socket
    socket.on('open', () => socket.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}'))
    socket.on('message', (data: Buffer) => {
      const height = /"number":"(0x[0-9a-f]+)"/.exec(data.toString('latin1'))?.[1]
      if (height === undefined) return
      this.#latest = Math.max(this.#latest, Number(height))
      this.#onHead(Number(height))
    })
    // A node that is attacked or down refuses: `close` follows, then the next attempt.
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      if (!this.#isClosed) this.#timer = setTimeout(() => this.#connect(), AGAIN_MS)
    })
  }
}
