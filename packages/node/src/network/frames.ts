import { err, ok, type Result } from '@quoin/protocol'

/**
 * Frames of the ordered stream and of requests: length (4 bytes, big-endian, at most the limit), then that many bytes.
 */
export const FRAME_HEADER_BYTES = 4

export interface FrameFault {
  readonly code: 'oversized'
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

/** How the length of a frame is written. */
export interface FrameHeader {
  /** Length of the frame and of its header, from the first bytes; undefined when there are too few of them. */
  read(byteAt: (index: number) => number, available: number): { readonly length: number; readonly size: number } | undefined
}

/** 4 bytes, big-endian. */
export const u32Header: FrameHeader = {
  read(byteAt, available) {
    if (available < FRAME_HEADER_BYTES) return undefined
    return { length: byteAt(0) * 2 ** 24 + byteAt(1) * 2 ** 16 + byteAt(2) * 2 ** 8 + byteAt(3), size: FRAME_HEADER_BYTES }
  },
}

/** Unsigned LEB128, as libp2p's protocols write it; beyond 4 bytes the length is taken as infinite. */
export const varintHeader: FrameHeader = {
  read(byteAt, available) {
    let length = 0
    for (let i = 0; i < 4; i++) {
      if (i === available) return undefined
      const byte = byteAt(i)
      length += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return { length, size: i + 1 }
    }
    return { length: Number.POSITIVE_INFINITY, size: 4 }
  },
}

/** The header that `varintHeader` reads. */
export function encodeVarint(length: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

/**
 * Cuts a byte stream into frames, whatever the chunks it arrives in. Holds what was pushed and not yet taken out. After a fault the
 * position in the stream is lost: every further call gives the same fault.
 */
export class FrameDecoder {
  readonly #bytesMax: number
  readonly #header: FrameHeader
  readonly #chunks: Uint8Array[] = []
  /** Bytes of the first chunk that were taken already. */
  #taken = 0
  #available = 0
  /** Length of the frame whose header was read. */
  #expected: number | undefined
  #fault: FrameFault | undefined

  constructor(bytesMax: number, header: FrameHeader = u32Header) {
    this.#bytesMax = bytesMax
    this.#header = header
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
      const header = this.#header.read(this.#byteAt, this.#available)
      if (header === undefined) return ok(undefined)
      const { length, size } = header
      if (length > this.#bytesMax)
        return this.#fail('oversized', `frame of ${length} bytes, at most ${this.#bytesMax} are allowed`)
      this.#take(size)
      this.#expected = length
    }
    if (this.#available < this.#expected) return ok(undefined)
    const frame = this.#take(this.#expected)
    this.#expected = undefined
    return ok(frame)
  }

  readonly #byteAt = (index: number): number => {
    let at = this.#taken + index
    for (const chunk of this.#chunks) {
      if (at < chunk.length) return chunk[at]!
      at -= chunk.length
    }
    throw new RangeError(`byte ${index} of ${this.#available}`)
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
