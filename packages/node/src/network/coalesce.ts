import type { Writable } from 'node:stream'
import type { ConnectionEncrypter } from '@libp2p/interface'

/**
 * Combines all writes to a stream in one turn into one system call. libp2p writes a frame in pieces (noise's two-byte length, its
 * ciphertext, the multiplexer's header, the payload), and separate writes cost a busy validator a tenth of its main thread. `cork` holds
 * them until the end of the turn. Order, back-pressure and errors of the stream do not change.
 */
export function coalesceWrites(stream: Writable): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
  let corked = false
  const release = (): void => {
    corked = false
    stream.uncork()
  }
  stream.write = (...args: unknown[]): boolean => {
    if (!corked) {
      corked = true
      stream.cork()
      process.nextTick(release)
    }
    return write(...args)
  }
}

/**
 * Wraps an encrypter so that it coalesces the writes of each connection that it secures. A connection that hides its socket is left
 * unchanged.
 */
export function coalescing<C>(create: (components: C) => ConnectionEncrypter): (components: C) => ConnectionEncrypter {
  return (components) => {
    const encrypter = create(components)
    const coalesceSocketOf = (connection: object): void => {
      const { socket } = connection as { readonly socket?: Writable }
      if (typeof socket?.cork === 'function') coalesceWrites(socket)
    }
    const { secureInbound, secureOutbound } = encrypter
    encrypter.secureInbound = (connection, options) => {
      coalesceSocketOf(connection)
      return secureInbound.call(encrypter, connection, options)
    }
    encrypter.secureOutbound = (connection, options) => {
      coalesceSocketOf(connection)
      return secureOutbound.call(encrypter, connection, options)
    }
    return encrypter
  }
}
