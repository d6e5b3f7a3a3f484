// Not from 'ox', whose index loads all of it: 0.2 s in every thread.
import * as Rlp from 'ox/Rlp'
import { bytesToBigInt, bytesToNumber } from './bytes.ts'

/**
 * Strict RLP (Ethereum yellow paper, appendix B): a cursor that reads one canonical encoding and refuses every other: long forms of
 * short lengths, a length byte for a byte below 0x80, leading zeros in lengths and integers, items beyond their list. Encoding is ox's.
 */
export class RlpFailure extends Error {}

export interface RlpItem {
  readonly kind: 'bytes' | 'list'
  /** Position of the payload's first byte. */
  readonly start: number
  /** Position behind the payload. */
  readonly end: number
}

export class RlpReader {
  readonly bytes: Uint8Array
  #at: number
  readonly #end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.#at = start
    this.#end = end
  }

  get at(): number {
    return this.#at
  }

  get done(): boolean {
    return this.#at === this.#end
  }

  /** Throws unless everything was read. */
  finish(): void {
    if (!this.done) throw new RlpFailure(`${this.#end - this.#at} bytes follow the last item`)
  }

  item(): RlpItem {
    if (this.#at >= this.#end) throw new RlpFailure('an item is missing')
    const head = this.bytes[this.#at]!
    if (head < 0x80) return this.#span('bytes', this.#at, 1)
    if (head <= 0xb7) {
      const item = this.#span('bytes', this.#at + 1, head - 0x80)
      if (head === 0x81 && this.bytes[item.start]! < 0x80) throw new RlpFailure('a small byte has a length byte')
      return item
    }
    if (head < 0xc0) return this.#long('bytes', head - 0xb7)
    return head <= 0xf7 ? this.#span('list', this.#at + 1, head - 0xc0) : this.#long('list', head - 0xf7)
  }

  #long(kind: RlpItem['kind'], width: number): RlpItem {
    const start = this.#at + 1
    if (start + width > this.#end) throw new RlpFailure('a length runs past its list')
    const length = bytesToNumber(this.bytes.subarray(start, start + width))
    if (length === undefined || this.bytes[start] === 0 || length < 56)
      throw new RlpFailure('a length is not in its shortest form')
    return this.#span(kind, start + width, length)
  }

  #span(kind: RlpItem['kind'], start: number, length: number): RlpItem {
    const end = start + length
    if (end > this.#end) throw new RlpFailure('an item runs past its list')
    this.#at = end
    return { kind, start, end }
  }

  /** The payload of a byte string; `length` demands an exact size. */
  string(name: string, length?: number): Uint8Array {
    const { kind, start, end } = this.item()
    if (kind !== 'bytes') throw new RlpFailure(`${name} is a list`)
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

  number(name: string, max = Number.MAX_SAFE_INTEGER): number {
    const value = bytesToNumber(this.#integer(name, 8))
    if (value === undefined || value > max) throw new RlpFailure(`${name} is above ${max}`)
    return value
  }

  bigint(name: string): bigint {
    return bytesToBigInt(this.#integer(name, 32))
  }

  /** A cursor over the items of a list. */
  list(name: string): RlpReader {
    const { kind, start, end } = this.item()
    if (kind !== 'list') throw new RlpFailure(`${name} is not a list`)
    return new RlpReader(this.bytes, start, end)
  }
}

/** Bytes of an RLP list whose payload is already encoded. */
export function wrapList(payload: Uint8Array): Uint8Array {
  const head = payload.length < 56 ? [0xc0 + payload.length] : longHead(payload.length)
  const out = new Uint8Array(head.length + payload.length)
  out.set(head)
  out.set(payload, head.length)
  return out
}

function longHead(length: number): readonly number[] {
  const digits: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return [0xf7 + digits.length, ...digits]
}

export type RlpValue = Uint8Array | readonly RlpValue[]

export const encodeRlp = (value: RlpValue): Uint8Array => Rlp.fromBytes(value as never, { as: 'Bytes' })

/** An integer's RLP payload: big-endian without leading zeros, empty for 0. */
export function integerPayload(value: number | bigint): Uint8Array {
  const digits = value.toString(16)
  if (digits === '0') return new Uint8Array(0)
  const padded = digits.length % 2 === 0 ? digits : `0${digits}`
  return Uint8Array.from({ length: padded.length / 2 }, (_, i) => Number.parseInt(padded.slice(2 * i, 2 * i + 2), 16))
}
