import type { Stream } from '@libp2p/interface'
import { concatBytes } from '@quoin/protocol'
import type { NetworkCounters } from './counters.ts'
import { encodeVarint, varintHeader } from './frames.ts'
import { beginsWithMessage, splitRpc } from './gossip-rpc.ts'
import type { NetworkLimits } from './limits.ts'
import { asError } from './streams.ts'

/** Bytes as gossipsub writes them: a `Uint8Array`, or a list of a length prefix and an RPC. */
export type Bytes = Parameters<Stream['send']>[0]

/**
 * Bounded queue in front of the gossip streams to one peer. Whole RPCs are queued, and the stream gets the next one only when it has passed
 * on the last. So a peer that does not read fills this queue, not the connection. A full queue refuses messages with an exception, which
 * gossipsub handles. Control data is small and has extra room. The queue survives a stream: the next stream gets its content.
 */
export class GossipOutbox {
  readonly #limits: NetworkLimits
  readonly #counters: NetworkCounters
  readonly #queue: Bytes[] = []
  #stream: Stream | undefined
  #bytes = 0
  #flush: NodeJS.Immediate | undefined
  #isClosed = false

  constructor(limits: NetworkLimits, counters: NetworkCounters) {
    this.#limits = limits
    this.#counters = counters
  }

  /** Sends frames through this stream from now on, `hello` first. */
  attach(stream: Stream, hello?: Uint8Array): void {
    this.#detach()
    if (this.#isClosed) return
    this.#stream = stream
    stream.addEventListener('drain', this.#schedule)
    stream.addEventListener('close', this.#detach)
    if (hello !== undefined) this.#unshift(hello)
    this.#write()
  }

  /** The stream that gossipsub writes to, whichever real stream is behind it. gossipsub is never told that a real stream closed. */
  viewOf(protocol: string): Stream {
    const view: Pick<Stream, 'protocol' | 'send' | 'close' | 'abort' | 'addEventListener'> = {
      protocol,
      send: (frame) => this.#send(frame),
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

  /** Drops the queue, and accepts nothing more. */
  close(): void {
    this.#isClosed = true
    this.#detach()
    this.#queue.length = 0
    this.#bytes = 0
  }

  /** Throws if a message has no room. gossipsub catches that per peer, and keeps the control data of that RPC for the next one. */
  #send(frame: Bytes): boolean {
    if (this.#isClosed) throw new Error('the session is over')
    const byteAt = (index: number): number => (frame instanceof Uint8Array ? frame[index]! : frame.get(index))
    const header = varintHeader.read(byteAt, frame.byteLength)
    // Copies nothing if the RPC is one piece of the list. Its frame is the same memory for all peers.
    const rpc = frame.subarray(header?.size ?? 0)
    const { gossipSendBytesMax, gossipControlBytesMax, gossipFrameMessagesMax, gossipFrameBytesMax } = this.#limits
    const bytesMax = gossipSendBytesMax + (beginsWithMessage(rpc) ? 0 : gossipControlBytesMax)
    const pieces = splitRpc(rpc, gossipFrameMessagesMax, gossipFrameBytesMax)
    let isLost = false
    for (const piece of pieces) {
      if (this.#bytes + piece.length > bytesMax) isLost = true
      else this.#push(pieces.length === 1 ? frame : concatBytes(encodeVarint(piece.length), piece))
    }
    this.#write()
    if (!isLost) return true
    this.#counters.gossipDropped++
    throw new Error('the peer does not read its gossip')
  }

  #push(frame: Bytes): void {
    this.#queue.push(frame)
    this.#bytes += frame.byteLength
  }

  #unshift(frame: Bytes): void {
    this.#queue.unshift(frame)
    this.#bytes += frame.byteLength
  }

  readonly #schedule = () => {
    // Not in the same turn: the stream empties its own buffer after the event.
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
      this.#bytes -= frame.byteLength
      try {
        stream.send(frame)
      } catch (failure) {
        // A stream whose writing end is closing throws; the next stream gets the frame.
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
