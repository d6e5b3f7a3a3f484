import type { Stream } from '@libp2p/interface'
import { concatBytes } from '@quoin/protocol'
import type { NetworkCounters } from './counters.ts'
import { encodeVarint, varintHeader } from './frames.ts'
import { beginsWithMessage, splitRpc } from './gossip-rpc.ts'
import type { NetworkLimits } from './limits.ts'

/** What gossipsub writes: bytes, possibly in several pieces. */
export interface Bytes {
  readonly byteLength: number
  subarray(): Uint8Array
}

/**
 * Bounded queue in front of the gossip stream to one peer. Whole RPCs wait here, and the stream is given the next one when it has passed on
 * the last: what a peer does not read fills this queue, not the connection. A full queue takes no more messages, which gossipsub is told by
 * an exception; control, which is small, has some room of its own.
 */
export class GossipOutbox {
  readonly #stream: Stream
  readonly #limits: NetworkLimits
  readonly #counters: NetworkCounters
  readonly #queue: Uint8Array[] = []
  #bytes = 0
  #flush: NodeJS.Immediate | undefined

  constructor(stream: Stream, limits: NetworkLimits, counters: NetworkCounters) {
    this.#stream = stream
    this.#limits = limits
    this.#counters = counters
    stream.addEventListener('drain', this.#schedule)
    stream.addEventListener('close', this.#close)
  }

  /** The stream as gossipsub uses it for writing. */
  get stream(): Stream {
    const { protocol } = this.#stream
    const view: Pick<Stream, 'protocol' | 'send' | 'close' | 'abort' | 'addEventListener'> = {
      protocol,
      send: (frame) => this.#send(frame as Bytes),
      close: (options) => {
        this.#close()
        return this.#stream.close(options)
      },
      abort: (error) => this.#stream.abort(error),
      addEventListener: this.#stream.addEventListener.bind(this.#stream),
    }
    return view as Stream
  }

  /** Throws when a message has no room: gossipsub catches that for each peer, and keeps the control that rode along for the next RPC. */
  #send(frame: Bytes): boolean {
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
    while (stream.status === 'open' && stream.writeBufferLength < this.#limits.gossipWriteBytesMax) {
      const frame = this.#queue.shift()
      if (frame === undefined) return
      this.#bytes -= frame.length
      try {
        stream.send(frame)
      } catch {
        // A stream whose writing end is closing throws: what waits for it has nowhere to go.
        return this.#close()
      }
    }
  }

  readonly #close = () => {
    if (this.#flush !== undefined) clearImmediate(this.#flush)
    this.#flush = undefined
    this.#stream.removeEventListener('drain', this.#schedule)
    this.#stream.removeEventListener('close', this.#close)
    this.#queue.length = 0
    this.#bytes = 0
  }
}
