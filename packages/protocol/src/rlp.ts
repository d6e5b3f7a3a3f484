// Not from 'ox': its index loads the whole library, which takes 0.2 s in every thread.
import * as Rlp from 'ox/Rlp'
import { bytesToBigInt, bytesToNumber, concatBytes } from './bytes.ts'

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

/** Encodes an RLP list of items that are already encoded and concatenated. */
export const wrapList = (payload: Uint8Array): Uint8Array => concatBytes(Uint8Array.from(listHead(payload.length)), payload)

/** The bytes that precede the payload of an RLP list of this length. */
export function listHead(length: number): readonly number[] {
  if (length < 56) return [0xc0 + length]
  const digits: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return [0xf7 + digits.length, ...digits]
}

/** A byte string, or a list of values. */
export type RlpValue = Uint8Array | readonly RlpValue[]

/** Encodes RLP with ox. See `integerPayload` for integers. */
export const encodeRlp = (value: RlpValue): Uint8Array => Rlp.fromBytes(value as never, { as: 'Bytes' })

/** The byte string by which RLP represents an unsigned integer: big-endian without leading zeros, empty for 0. */
export function integerPayload(value: number | bigint): Uint8Array {
  const digits = value.toString(16)
  if (digits === '0') return new Uint8Array(0)
  const padded = digits.length % 2 === 0 ? digits : `0${digits}`
  return Uint8Array.from({ length: padded.length / 2 }, (_, i) => Number.parseInt(padded.slice(2 * i, 2 * i + 2), 16))
}
