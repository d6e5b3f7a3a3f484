import type { Writable } from 'node:stream'
import type { ConnectionEncrypter } from '@libp2p/interface'

/**
 * Makes what is written to a stream in one turn leave in one system call. libp2p writes a frame in pieces: noise's two-byte length, its
 * ciphertext, the multiplexer's header and the payload each by themselves, which cost a busy validator a tenth of its main thread.
 * `cork` holds them until the turn's end; order, back-pressure and errors stay the stream's own.
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

/** An encrypter that coalesces the writes of each connection that it secures. Where a connection hides its socket nothing changes. */
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
