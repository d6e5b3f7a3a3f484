import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, createServer, type Server, type TLSSocket } from 'node:tls'

/** A certificate with its chain, and its key, both in PEM. */
export interface TlsSettings {
  readonly cert: string
  readonly key: string
}

export interface TlsDoorOptions {
  readonly settings: TlsSettings
  /** Time for a handshake. */
  readonly handshakeMs: number
  readonly onConnection: (socket: TLSSocket) => void
}

/** Units that a handshake costs the address: it takes 0.3 ms with a key on P-256, and about 1 ms with RSA. */
export const HANDSHAKE_WEIGHT = 50

/** Handshakes at a time. The oldest ends for a new one, so that clients that stall in theirs lock nobody out for long. */
const HANDSHAKES_MAX = 256

const VERSIONS = { minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const

/** What is wrong with a certificate and its key; undefined if they can be used. */
export function tlsProblem({ cert, key }: TlsSettings): string | undefined {
  try {
    createSecureContext({ cert, key })
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? undefined : 'the key is that of another certificate'
  } catch (failure) {
    // OpenSSL refuses files that it cannot read, and a key of another certificate.
    return failure instanceof Error ? failure.message : 'they cannot be read'
  }
}

/** Does the handshakes of connections that a server has accepted, and hands over those that succeed. */
export class TlsDoor {
  readonly #server: Server
  /** Connections in their handshake, by their port and address, oldest first. */
  readonly #waiting = new Map<string, Socket>()
  #settings: TlsSettings

  constructor({ settings, handshakeMs, onConnection }: TlsDoorOptions) {
    this.#settings = settings
    this.#server = createServer({ ...settings, ...VERSIONS, handshakeTimeout: handshakeMs })
    this.#server.on('secureConnection', (socket) => {
      this.#waiting.delete(endOf(socket))
      onConnection(socket)
    })
    // The client has no TLS, took too long, or went away.
    this.#server.on('tlsClientError', (_, socket) => socket.destroy())
  }

  /** Uses another certificate for new connections. */
  set(settings: TlsSettings): void {
    if (settings.cert === this.#settings.cert && settings.key === this.#settings.key) return
    this.#settings = settings
    this.#server.setSecureContext({ ...settings, ...VERSIONS })
  }

  open(socket: Socket): void {
    const key = endOf(socket)
    this.#waiting.set(key, socket)
    socket.once('close', () => this.#waiting.delete(key))
    for (const [oldest, other] of this.#waiting) {
      if (this.#waiting.size <= HANDSHAKES_MAX) break
      this.#waiting.delete(oldest)
      other.destroy()
    }
    this.#server.emit('connection', socket)
  }

  /** Ends handshakes that are under way. */
  close(): void {
    for (const socket of [...this.#waiting.values()]) socket.destroy()
  }
}

const endOf = ({ remoteAddress, remotePort }: Socket): string => `${remotePort} ${remoteAddress}`
