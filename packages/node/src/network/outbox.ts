import type { Stream } from '@libp2p/interface'
import type { NetworkCounters } from './counters.ts'
import { encodeFrames, FRAME_HEADER_BYTES } from './frames.ts'
import type { NetworkLimits } from './limits.ts'

/** An empty frame. */
const HEARTBEAT = new Uint8Array(0)

/**
 * Bounded queue in front of the ordered stream to one peer. Messages sent within one turn of the event loop leave in one write, because
 * encryption and system calls are paid per write, not per message. If the peer does not read, the stream fills up to streamWriteBytesMax,
 * then the queue fills, then the oldest messages are dropped.
 */
export class Outbox {
  readonly #limits: NetworkLimits
  readonly #counters: NetworkCounters
  #stream: Stream | undefined
  /** Messages in order; those before `#head` were sent. */
  #queue: Uint8Array[] = []
  #head = 0
  #bytes = 0
  #flush: NodeJS.Immediate | undefined

  readonly #broken: (error: unknown) => void

  /** @param broken called when the stream accepts no more data (instead of an exception inside a callback) */
  constructor(limits: NetworkLimits, counters: NetworkCounters, broken: (error: unknown) => void) {
    this.#limits = limits
    this.#counters = counters
    this.#broken = broken
  }

  push(message: Uint8Array): void {
    this.#queue.push(message)
    this.#bytes += message.length
    while (this.#bytes > this.#limits.sendQueueBytesMax || this.#queue.length - this.#head > this.#limits.sendQueueCountMax) {
      if (this.#shift().length > 0) this.#counters.dropped++
    }
    this.#schedule()
  }

  /** Sends an empty message as a heartbeat, unless other messages are queued, which serve as one. */
  beat(): void {
    if (this.#head === this.#queue.length) this.push(HEARTBEAT)
  }

  /** Sends messages through this stream from now on, queued ones first. */
  attach(stream: Stream): void {
    this.#stream = stream
    // Not `stream.onDrain()`: in @libp2p/utils 7.4 it resolves at once after its first use, whatever the buffer holds. And not in the same
    // turn: the stream empties its own buffer in a microtask after the event, and fires no further event if that was all.
    stream.addEventListener('drain', this.#schedule)
    this.#write()
  }

  /** Writes the queue at once, before a clean end. */
  flush(): void {
    this.#write()
  }

  /** Drops the queue and releases the stream. */
  close(): void {
    if (this.#flush !== undefined) clearImmediate(this.#flush)
    this.#flush = undefined
    this.#stream?.removeEventListener('drain', this.#schedule)
    this.#stream = undefined
    while (this.#head < this.#queue.length) if (this.#shift().length > 0) this.#counters.dropped++
  }

  readonly #schedule = () => {
    if (this.#stream !== undefined && this.#head < this.#queue.length) this.#flush ??= setImmediate(this.#onFlush)
  }

  readonly #onFlush = () => {
    this.#flush = undefined
    this.#write()
  }

  #write(): void {
    const stream = this.#stream
    while (stream?.status === 'open' && stream.writeBufferLength < this.#limits.streamWriteBytesMax) {
      const batch = this.#batch()
      if (batch.length === 0) return
      try {
        stream.send(encodeFrames(batch))
      } catch (error) {
        // A stream is `open` until both of its ends are closed. One whose writing end is closing throws, and so does one that fails now.
        this.#counters.dropped += batch.length
        return this.#broken(error)
      }
      this.#counters.writes++
      for (const message of batch) this.#count(message)
    }
  }

  /** Takes the oldest messages, at least one, up to sendBatchBytesMax in total. */
  #batch(): readonly Uint8Array[] {
    const batch: Uint8Array[] = []
    let bytes = 0
    while (this.#head < this.#queue.length) {
      const message = this.#queue[this.#head]!
      bytes += FRAME_HEADER_BYTES + message.length
      if (batch.length > 0 && bytes > this.#limits.sendBatchBytesMax) break
      batch.push(this.#shift())
    }
    return batch
  }

  #count(message: Uint8Array): void {
    if (message.length === 0) return
    this.#counters.framesOut++
    this.#counters.bytesOut += message.length
  }

  #shift(): Uint8Array {
    const message = this.#queue[this.#head]!
    this.#bytes -= message.length
    this.#head++
    // Copies only when half of the array is consumed: that costs one step per message on average.
    if (this.#head > 64 && 2 * this.#head > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return message
  }
}
