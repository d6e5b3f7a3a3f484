import type { Stream } from '@libp2p/interface'
import type { NetworkCounters } from './counters.ts'
import { encodeFrames, FRAME_HEADER_BYTES } from './frames.ts'
import type { NetworkLimits } from './limits.ts'

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

  constructor(limits: NetworkLimits, counters: NetworkCounters) {
    this.#limits = limits
    this.#counters = counters
  }

  push(message: Uint8Array): void {
    this.#queue.push(message)
    this.#bytes += message.length
    while (this.#bytes > this.#limits.sendQueueBytesMax || this.#queue.length - this.#head > this.#limits.sendQueueCountMax) {
      this.#shift()
      this.#counters.dropped++
    }
    this.#schedule()
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
    this.#counters.dropped += this.#queue.length - this.#head
    this.#queue = []
    this.#head = 0
    this.#bytes = 0
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
      this.#counters.writes++
      this.#counters.framesOut += batch.length
      stream.send(encodeFrames(batch))
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
      this.#shift()
      this.#counters.bytesOut += message.length
      batch.push(message)
    }
    return batch
  }

  #shift(): void {
    this.#bytes -= this.#queue[this.#head]!.length
    this.#head++
    // Half of the array is gone: copying the rest now costs one step a message over its life.
    if (this.#head > 64 && 2 * this.#head > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }
}
