import { err, ok, type Result } from '@quoin/protocol'

/** Frames of the ordered stream and of requests: length (4 bytes, big-endian, at most the limit), then that many bytes. */
export const FRAME_HEADER_BYTES = 4

/** A frame longer than the limit. */
export interface FrameFault {
  readonly code: 'oversized'
  readonly message: string
}

/** Returns one buffer with all messages framed, in order, so that many messages take one write. */
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

/** Encoding of a frame's length. */
export interface FrameHeader {
  /** Reads the length of the frame and of its header from the first bytes; undefined if more bytes are needed. */
  read(byteAt: (index: number) => number, available: number): { readonly length: number; readonly size: number } | undefined
}

/** 4 bytes, big-endian. */
export const u32Header: FrameHeader = {
  read(byteAt, available) {
    if (available < FRAME_HEADER_BYTES) return undefined
    return { length: byteAt(0) * 2 ** 24 + byteAt(1) * 2 ** 16 + byteAt(2) * 2 ** 8 + byteAt(3), size: FRAME_HEADER_BYTES }
  },
}

/** Unsigned LEB128, as in libp2p's protocols. A length of more than 4 bytes is read as infinite. */
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

/** Encodes a header for `varintHeader`. */
export function encodeVarint(length: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

/**
 * Splits a byte stream into frames, regardless of chunk boundaries. Buffers pushed bytes until they are taken. After a fault the position
 * in the stream is lost: every further call returns the same fault.
 */
export class FrameDecoder {
  readonly #bytesMax: number
  readonly #header: FrameHeader
  readonly #chunks: Uint8Array[] = []
  /** Bytes of the first chunk that were already taken. */
  #taken = 0
  #available = 0
  /** Length of the frame whose header was read. */
  #expected: number | undefined
  #fault: FrameFault | undefined

  constructor(bytesMax: number, header: FrameHeader = u32Header) {
    this.#bytesMax = bytesMax
    this.#header = header
  }

  /** Buffered bytes that belong to no complete frame. */
  get pendingBytes(): number {
    return this.#available
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#fault !== undefined) return
    this.#chunks.push(chunk)
    this.#available += chunk.length
  }

  /** Returns the next complete frame as a copy; undefined if more bytes are needed. */
  next(): Result<Uint8Array | undefined, FrameFault> {
    if (this.#fault !== undefined) return err(this.#fault)
    if (this.#expected === undefined) {
      const header = this.#header.read(this.#byteAt, this.#available)
      if (header === undefined) return ok(undefined)
      const { length, size } = header
      if (length > this.#bytesMax)
        return this.#fail('oversized', `frame of ${length} bytes exceeds the limit of ${this.#bytesMax} bytes`)
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
    throw new RangeError(`byte ${index} is out of range: only ${this.#available} bytes are available`)
  }

  #fail(code: FrameFault['code'], message: string): Result<never, FrameFault> {
    this.#fault = { code, message }
    this.#chunks.length = 0
    this.#available = 0
    return err(this.#fault)
  }

  /** Copies `length` bytes out of the buffer. A view would keep the whole chunk in memory as long as the message. */
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
