import type { Stream } from '@libp2p/interface'
import { concatBytes } from '@quoin/protocol'
import type { NetworkCounters } from './counters.ts'
import { encodeVarint, varintHeader } from './frames.ts'
import { beginsWithMessage, splitRpc } from './gossip-rpc.ts'
import type { NetworkLimits } from './limits.ts'
import { asError } from './streams.ts'

/** What gossipsub writes: bytes, possibly in several pieces. */
export interface Bytes {
  readonly byteLength: number
  subarray(): Uint8Array
}

/**
 * Bounded queue in front of the gossip streams to one peer. Whole RPCs wait here, and the stream is given the next one when it has passed on
 * the last: what a peer does not read fills this queue, not the connection. A full queue takes no more messages, which gossipsub is told by
 * an exception; control, which is small, has some room of its own. What waits outlasts a stream: the next one gets it.
 */
export class GossipOutbox {
  readonly #limits: NetworkLimits
  readonly #counters: NetworkCounters
  readonly #queue: Uint8Array[] = []
  #stream: Stream | undefined
  #bytes = 0
  #flush: NodeJS.Immediate | undefined
  #isClosed = false

  constructor(limits: NetworkLimits, counters: NetworkCounters) {
    this.#limits = limits
    this.#counters = counters
  }

  /** From now on frames leave through this stream, `hello` first. */
  attach(stream: Stream, hello?: Uint8Array): void {
    this.#detach()
    if (this.#isClosed) return
    this.#stream = stream
    stream.addEventListener('drain', this.#schedule)
    stream.addEventListener('close', this.#detach)
    if (hello !== undefined) this.#unshift(hello)
    this.#write()
  }

  /** What gossipsub writes to, whichever stream is beneath. It is never told that one closed. */
  viewOf(protocol: string): Stream {
    const view: Pick<Stream, 'protocol' | 'send' | 'close' | 'abort' | 'addEventListener'> = {
      protocol,
      send: (frame) => this.#send(frame as Bytes),
      close: async (options) => {
        const stream = this.#stream
        this.close()
        await stream?.close(options)
      },
      abort: (error) => {
        const stream = this.#stream
        this.close()
        stream?.abort(error)
      },
      addEventListener: () => {},
    }
    return view as Stream
  }

  /** Drops what waits, and takes no more. */
  close(): void {
    this.#isClosed = true
    this.#detach()
    this.#queue.length = 0
    this.#bytes = 0
  }

  /** Throws when a message has no room: gossipsub catches that for each peer, and keeps the control that rode along for the next RPC. */
  #send(frame: Bytes): boolean {
    if (this.#isClosed) throw new Error('the session is over')
    const bytes = frame.subarray()
    const header = varintHeader.read((index) => bytes[index]!, bytes.length)
    const rpc = bytes.subarray(header?.size ?? 0)
    const { gossipSendBytesMax, gossipControlBytesMax, gossipFrameMessagesMax, gossipFrameBytesMax } = this.#limits
    const bytesMax = gossipSendBytesMax + (beginsWithMessage(rpc) ? 0 : gossipControlBytesMax)
    const pieces = splitRpc(rpc, gossipFrameMessagesMax, gossipFrameBytesMax)
    let isLost = false
    for (const piece of pieces) {
      if (this.#bytes + piece.length > bytesMax) isLost = true
      else this.#push(pieces.length === 1 ? bytes : concatBytes(encodeVarint(piece.length), piece))
    }
    this.#write()
    if (!isLost) return true
    this.#counters.gossipDropped++
    throw new Error('the peer does not read its gossip')
  }

  #push(frame: Uint8Array): void {
    this.#queue.push(frame)
    this.#bytes += frame.length
  }

  #unshift(frame: Uint8Array): void {
    this.#queue.unshift(frame)
    this.#bytes += frame.length
  }

  readonly #schedule = () => {
    // In a turn of its own: the stream empties its own buffer after the event.
    if (this.#queue.length > 0) this.#flush ??= setImmediate(this.#onFlush)
  }

  readonly #onFlush = () => {
    this.#flush = undefined
    this.#write()
  }

  #write(): void {
    const stream = this.#stream
    while (stream?.status === 'open' && stream.writeBufferLength < this.#limits.gossipWriteBytesMax) {
      const frame = this.#queue.shift()
      if (frame === undefined) return
      this.#bytes -= frame.length
      try {
        stream.send(frame)
      } catch (failure) {
        // A stream whose writing end is closing throws: the next one gets the frame.
        this.#unshift(frame)
        this.#detach()
        return stream.abort(asError(failure))
      }
    }
  }

  readonly #detach = () => {
    if (this.#flush !== undefined) clearImmediate(this.#flush)
    this.#flush = undefined
    this.#stream?.removeEventListener('drain', this.#schedule)
    this.#stream?.removeEventListener('close', this.#detach)
    this.#stream = undefined
  }
}
