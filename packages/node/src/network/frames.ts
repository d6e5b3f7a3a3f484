import { err, ok, type Result } from '@quoin/protocol'

/**
 * Frames of the ordered stream and of requests: length (4 bytes, big-endian, 1 to the limit), then that many bytes. An empty frame is
 * refused, because a peer could send millions of them in one packet.
 */
export const FRAME_HEADER_BYTES = 4

export interface FrameFault {
  readonly code: 'empty' | 'oversized'
  readonly message: string
}

/** One buffer with all messages framed, in order: a single write for many messages. */
export function encodeFrames(messages: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const message of messages) length += FRAME_HEADER_BYTES + message.length
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  let at = 0
  for (const message of messages) {
    view.setUint32(at, message.length)
    out.set(message, at + FRAME_HEADER_BYTES)
    at += FRAME_HEADER_BYTES + message.length
  }
  return out
}

/**
 * Cuts a byte stream into frames, whatever the chunks it arrives in. Holds the chunks of one unfinished frame at most. After a fault
 * the position in the stream is lost: every further call gives the same fault.
 */
export class FrameDecoder {
  readonly #bytesMax: number
  readonly #chunks: Uint8Array[] = []
  /** Bytes of the first chunk that were taken already. */
  #taken = 0
  #available = 0
  /** Length of the frame whose header was read. */
  #expected: number | undefined
  #fault: FrameFault | undefined

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that are held and belong to no finished frame. */
  get pendingBytes(): number {
    return this.#available
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#fault !== undefined) return
    this.#chunks.push(chunk)
    this.#available += chunk.length
  }

  /** The next whole frame, a copy of its own; undefined when more bytes are needed. */
  next(): Result<Uint8Array | undefined, FrameFault> {
    if (this.#fault !== undefined) return err(this.#fault)
    if (this.#expected === undefined) {
      if (this.#available < FRAME_HEADER_BYTES) return ok(undefined)
      const header = this.#take(FRAME_HEADER_BYTES)
      const length = header[0]! * 2 ** 24 + header[1]! * 2 ** 16 + header[2]! * 2 ** 8 + header[3]!
      if (length === 0) return this.#fail('empty', 'frame of 0 bytes')
      if (length > this.#bytesMax)
        return this.#fail('oversized', `frame of ${length} bytes, at most ${this.#bytesMax} are allowed`)
      this.#expected = length
    }
    if (this.#available < this.#expected) return ok(undefined)
    const frame = this.#take(this.#expected)
    this.#expected = undefined
    return ok(frame)
  }

  #fail(code: FrameFault['code'], message: string): Result<never, FrameFault> {
    this.#fault = { code, message }
    this.#chunks.length = 0
    this.#available = 0
    return err(this.#fault)
  }

  /** Copies `length` available bytes out: a view would keep the whole chunk alive as long as the message. */
  #take(length: number): Uint8Array {
    const out = new Uint8Array(length)
    let at = 0
    let finished = 0
    while (at < length) {
      const chunk = this.#chunks[finished]!
      const end = Math.min(chunk.length, this.#taken + length - at)
      out.set(chunk.subarray(this.#taken, end), at)
      at += end - this.#taken
      this.#taken = end
      if (end === chunk.length) {
        finished++
        this.#taken = 0
      }
    }
    if (finished > 0) this.#chunks.splice(0, finished)
    this.#available -= length
    return out
  }
}
