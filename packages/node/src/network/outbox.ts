import type { Stream } from '@libp2p/interface'
import type { NetworkCounters } from './counters.ts'
import { encodeFrames, FRAME_HEADER_BYTES } from './frames.ts'
import type { NetworkLimits } from './limits.ts'

/** An empty frame. */
const HEARTBEAT = new Uint8Array(0)

/**
 * Bounded queue in front of the ordered stream to one peer. What is sent within a turn of the event loop leaves in one write: encryption
 * and system calls are paid per write, not per message. When the peer does not read, the stream fills to streamWriteBytesMax, then the
 * queue, then the oldest messages go.
 */
export class Outbox {
  readonly #limits: NetworkLimits
  readonly #counters: NetworkCounters
  #stream: Stream | undefined
  /** Messages in order; those before `#head` have left. */
  #queue: Uint8Array[] = []
  #head = 0
  #bytes = 0
  #flush: NodeJS.Immediate | undefined

  readonly #broken: (error: unknown) => void

  /** @param broken told when the stream takes no more, instead of an exception out of a callback */
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

  /** Sends an empty message as a sign of life, unless others wait, which are one as well. */
  beat(): void {
    if (this.#head === this.#queue.length) this.push(HEARTBEAT)
  }

  /** From now on messages leave through this stream, those that wait first. */
  attach(stream: Stream): void {
    this.#stream = stream
    // Not `stream.onDrain()`: in @libp2p/utils 7.4 it answers at once after its first use, whatever the buffer holds. And not at once:
    // the stream empties its own buffer in a microtask after the event, and says nothing more when that was all.
    stream.addEventListener('drain', this.#schedule)
    this.#write()
  }

  /** Writes what waits without the delay of a turn: before an orderly end. */
  flush(): void {
    this.#write()
  }

  /** Drops what waits and lets go of the stream. */
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
        // A stream is `open` until both of its ends are closed; one whose writing end is closing throws, as does one that fails now.
        this.#counters.dropped += batch.length
        return this.#broken(error)
      }
      this.#counters.writes++
      for (const message of batch) this.#count(message)
    }
  }

  /** Takes the oldest messages, at least one, up to sendBatchBytesMax together. */
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
    // Half of the array is gone: copying the rest now costs one step a message over its life.
    if (this.#head > 64 && 2 * this.#head > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return message
  }
}
