import { bytesToBigInt, bytesToNumber } from './bytes.ts'

/** Thrown by `RlpReader` for bytes that are not canonical RLP. `decodeTransaction` turns it into an error result. */
export class RlpFailure extends Error {}

export interface RlpItem {
  readonly kind: 'bytes' | 'list'
  /** Position of the payload's first byte. */
  readonly start: number
  /** Position after the payload's last byte. */
  readonly end: number
}

/**
 * A cursor over RLP (Ethereum yellow paper, appendix B) that accepts only the canonical encoding of each item. It refuses the long form of a
 * short length, a length prefix for a single byte below 0x80, leading zeros in lengths and integers, and items that extend past their list.
 * Its methods throw RlpFailure for any other input.
 *
 * @example
 * const outer = new RlpReader(bytes)
 * const fields = outer.list('entry')
 * const address = fields.string('address', 20)
 * const amount = fields.bigint('amount')
 * fields.finish() // no further field
 * outer.finish() // no byte after the list
 */
export class RlpReader {
  readonly bytes: Uint8Array
  #at: number
  readonly #end: number

  /** Reads the part of `bytes` from `start` to `end`, without copying it. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** Position of the next item in `bytes`. */
  get at(): number {
    return this.#at
  }

  get done(): boolean {
    return this.#at === this.#end
  }

  /** @throws RlpFailure if bytes are left after the last item that was read. */
  finish(): void {
    if (!this.done) throw new RlpFailure(`${this.#end - this.#at} bytes follow the last item`)
  }

  /** Reads the bounds of the next item. */
  item(): RlpItem {
    if (this.#at >= this.#end) throw new RlpFailure('an item is missing')
    const head = this.bytes[this.#at]!
    if (head < 0x80) return this.#span('bytes', this.#at, 1)
    if (head <= 0xb7) {
      const item = this.#span('bytes', this.#at + 1, head - 0x80)
      if (head === 0x81 && this.bytes[item.start]! < 0x80) throw new RlpFailure('a single byte below 0x80 has a length prefix')
      return item
    }
    if (head < 0xc0) return this.#long('bytes', head - 0xb7)
    return head <= 0xf7 ? this.#span('list', this.#at + 1, head - 0xc0) : this.#long('list', head - 0xf7)
  }

  #long(kind: RlpItem['kind'], width: number): RlpItem {
    const start = this.#at + 1
    if (start + width > this.#end) throw new RlpFailure('a length prefix runs past the end of the list or input')
    const length = bytesToNumber(this.bytes.subarray(start, start + width))
    if (length === undefined || this.bytes[start] === 0 || length < 56)
      throw new RlpFailure('a length prefix is not in its shortest form')
    return this.#span(kind, start + width, length)
  }

  #span(kind: RlpItem['kind'], start: number, length: number): RlpItem {
    const end = start + length
    if (end > this.#end) throw new RlpFailure('an item runs past the end of the list or input')
    this.#at = end
    return { kind, start, end }
  }

  /**
   * Reads a byte string.
   *
   * @param name name of the field in error messages, as in all methods below.
   * @param length exact size in bytes, if the field has one.
   * @returns a view of the payload.
   */
  string(name: string, length?: number): Uint8Array {
    const { kind, start, end } = this.item()
    if (kind !== 'bytes') throw new RlpFailure(`${name} is a list, not a byte string`)
    if (length !== undefined && end - start !== length) throw new RlpFailure(`${name} has ${end - start} bytes, not ${length}`)
    return this.bytes.subarray(start, end)
  }

  /** An integer of at most `bytesMax` bytes without leading zeros. */
  #integer(name: string, bytesMax: number): Uint8Array {
    const bytes = this.string(name)
    if (bytes.length > bytesMax) throw new RlpFailure(`${name} has more than ${bytesMax} bytes`)
    if (bytes[0] === 0) throw new RlpFailure(`${name} has a leading zero`)
    return bytes
  }

  /** Reads an integer from 0 to `max`. */
  number(name: string, max = Number.MAX_SAFE_INTEGER): number {
    const value = bytesToNumber(this.#integer(name, 8))
    if (value === undefined || value > max) throw new RlpFailure(`${name} is above ${max}`)
    return value
  }

  /** Reads an integer from 0 to 2^256 - 1. */
  bigint(name: string): bigint {
    return bytesToBigInt(this.#integer(name, 32))
  }

  /** Reads a list and returns a cursor over its items. */
  list(name: string): RlpReader {
    const { kind, start, end } = this.item()
    if (kind !== 'list') throw new RlpFailure(`${name} is not a list`)
    return new RlpReader(this.bytes, start, end)
  }
}

/** First byte of an empty string, and of an empty list. */
const STRING = 0x80
const LIST = 0xc0

/** Encodes an RLP list of items that are already encoded and concatenated. */
export function wrapList(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(headSize(payload.length) + payload.length)
  out.set(payload, writeHead(out, 0, LIST, payload.length))
  return out
}

/** The bytes that precede the payload of an RLP list of this length. */
export function listHead(length: number): Uint8Array {
  const head = new Uint8Array(headSize(length))
  writeHead(head, 0, LIST, length)
  return head
}

/** A byte string, or a list of values. */
export type RlpValue = Uint8Array | readonly RlpValue[]

/** Encodes RLP. See `integerPayload` for integers. */
export function encodeRlp(value: RlpValue): Uint8Array {
  /** Sizes of the lists' payloads, in the order in which the writer meets the lists. */
  const sizes: number[] = []
  const out = new Uint8Array(encodedSize(value, sizes))
  writeValue(out, 0, value, sizes.values())
  return out
}

const isBytes = (value: RlpValue): value is Uint8Array => value instanceof Uint8Array

/** Whether a byte string is its own encoding. */
const isBare = (bytes: Uint8Array): boolean => bytes.length === 1 && bytes[0]! < STRING

/** Size of a value's encoding. Appends the payload sizes of its lists: that of a list before those of the lists in it. */
function encodedSize(value: RlpValue, sizes: number[]): number {
  if (isBytes(value)) return isBare(value) ? 1 : headSize(value.length) + value.length
  const index = sizes.push(0) - 1
  let size = 0
  for (const item of value) size += encodedSize(item, sizes)
  sizes[index] = size
  return headSize(size) + size
}

/** Writes a value at a position and returns the position after it. */
function writeValue(out: Uint8Array, at: number, value: RlpValue, sizes: Iterator<number, undefined>): number {
  if (isBytes(value)) {
    const start = isBare(value) ? at : writeHead(out, at, STRING, value.length)
    // A loop is faster than `set` for fields as short as those of a transaction.
    if (value.length > 40) out.set(value, start)
    else for (let i = 0; i < value.length; i++) out[start + i] = value[i]!
    return start + value.length
  }
  let end = writeHead(out, at, LIST, sizes.next().value!)
  for (const item of value) end = writeValue(out, end, item, sizes)
  return end
}

const headSize = (length: number): number => (length < 56 ? 1 : 1 + widthOf(length))

/** Bytes of a length, big-endian without leading zeros. */
function widthOf(length: number): number {
  let width = 1
  for (let rest = length; rest >= 256; rest = Math.floor(rest / 256)) width++
  return width
}

/** Writes what stands before a payload of `length` bytes, and returns the position of the payload. */
function writeHead(out: Uint8Array, at: number, kind: typeof STRING | typeof LIST, length: number): number {
  if (length < 56) {
    out[at] = kind + length
    return at + 1
  }
  const width = widthOf(length)
  out[at] = kind + 55 + width
  let rest = length
  for (let i = width; i > 0; i--, rest = Math.floor(rest / 256)) out[at + i] = rest % 256
  return at + 1 + width
}

/** The byte string by which RLP represents an unsigned integer: big-endian without leading zeros, empty for 0. */
export function integerPayload(value: number | bigint): Uint8Array {
  const digits = value.toString(16)
  if (digits === '0') return new Uint8Array(0)
  const padded = digits.length % 2 === 0 ? digits : `0${digits}`
  return Uint8Array.from({ length: padded.length / 2 }, (_, i) => Number.parseInt(padded.slice(2 * i, 2 * i + 2), 16))
}
