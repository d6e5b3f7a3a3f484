import type { Brand } from './numbers.ts'

/** Bytes as lower-case hex with the prefix 0x and an even number of digits. */
export type Hex = `0x${string}`
/** 32 bytes as lower-case hex. A string, so that `===` compares two hashes and a Map can use one as its key. */
export type Hash = Brand<Hex, 'Hash'>
/** 20 bytes as lower-case hex, without the checksum of EIP-55. */
export type Address = Brand<Hex, 'Address'>

/** Character codes of the hex digits. */
const DIGITS: readonly number[] = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** Bytes per call of String.fromCharCode, whose arguments go on the stack. */
const HEX_CHUNK_BYTES = 512
const EMPTY = new Uint8Array(0)

/** A shared array of length 0. */
export const emptyBytes = (): Uint8Array => EMPTY

/**
 * Encodes bytes as hex.
 *
 * The result is a flat string. V8 keeps a string that was concatenated digit by digit as a tree (900 bytes for a hash instead of 88) until it is
 * compared, and as a Map key it takes twice the time.
 */
export function bytesToHex(bytes: Uint8Array): Hex {
  const first = hexOf('0x', bytes, 0)
  if (bytes.length <= HEX_CHUNK_BYTES) return first as Hex
  const chunks = [first]
  for (let at = HEX_CHUNK_BYTES; at < bytes.length; at += HEX_CHUNK_BYTES) chunks.push(hexOf('', bytes, at))
  return chunks.join('') as Hex
}

function hexOf(prefix: string, bytes: Uint8Array, from: number): string {
  const to = Math.min(bytes.length, from + HEX_CHUNK_BYTES)
  const codes: number[] = new Array<number>(prefix.length + 2 * (to - from))
  let at = 0
  for (; at < prefix.length; at++) codes[at] = prefix.charCodeAt(at)
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    codes[at++] = DIGITS[byte >> 4]!
    codes[at++] = DIGITS[byte & 15]!
  }
  return String.fromCharCode.apply(undefined, codes)
}

/** Value of the hex digit with this character code, or -1. */
function digit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 97 && code <= 102) return code - 87
  if (code >= 65 && code <= 70) return code - 55
  return -1
}

/**
 * Decodes hex in lower or upper case.
 *
 * @returns undefined unless the text is 0x and an even number of hex digits.
 */
export function parseHex(text: string): Uint8Array | undefined {
  if (!text.startsWith('0x') || text.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(text.length / 2 - 1)
  for (let i = 0; i < bytes.length; i++) {
    const high = digit(text.charCodeAt(2 * i + 2))
    const low = digit(text.charCodeAt(2 * i + 3))
    if (high < 0 || low < 0) return undefined
    bytes[i] = high * 16 + low
  }
  return bytes
}

/**
 * Decodes hex that is known to be well-formed. Use `parseHex` for untrusted text.
 *
 * @throws TypeError unless the text is 0x and an even number of hex digits.
 */
export function hexToBytes(text: Hex): Uint8Array {
  const bytes = parseHex(text)
  if (bytes === undefined) throw new TypeError(`invalid hex, must be 0x and an even number of hex digits: ${text.slice(0, 80)}`)
  return bytes
}

/**
 * Makes a Hash of 32 bytes or of their hex.
 *
 * @throws TypeError for another length or invalid hex.
 */
export function Hash(value: Uint8Array | string): Hash {
  return fixed(value, 32, 'Hash') as Hash
}

/**
 * Makes an Address of 20 bytes or of their hex. A checksum (EIP-55) is converted to lower case and not verified.
 *
 * @throws TypeError for another length or invalid hex.
 */
export function Address(value: Uint8Array | string): Address {
  return fixed(value, 20, 'Address') as Address
}

function fixed(value: Uint8Array | string, length: number, name: string): Hex {
  const bytes = typeof value === 'string' ? parseHex(value) : value
  if (bytes?.length !== length) throw new TypeError(`${name} must be ${length} bytes`)
  return bytesToHex(bytes)
}

export const ZERO_HASH = Hash(new Uint8Array(32))
export const ZERO_ADDRESS = Address(new Uint8Array(20))

/** Concatenates its arguments. Use `joinBytes` for a list whose length is not bounded here: arguments go on the stack. */
export const concatBytes = (...parts: readonly Uint8Array[]): Uint8Array => joinBytes(parts)

/** Concatenates a list of any length. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/**
 * Compares lexicographically, as `Array.sort` expects.
 *
 * @returns a negative number, zero or a positive number.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && compareBytes(a, b) === 0

/**
 * Encodes an integer from 0 to 2^53 - 1 as big-endian bytes.
 *
 * @param length bytes of the result; leading ones are zero.
 * @throws RangeError if the value does not fit.
 */
export function numberToBytes(value: number, length: number): Uint8Array {
  const out = new Uint8Array(length)
  let rest = value
  for (let i = length - 1; i >= 0; i--) {
    out[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  if (rest !== 0) throw new RangeError(`${value} does not fit into ${length} bytes`)
  return out
}

/**
 * Decodes big-endian bytes; 0 for no bytes.
 *
 * @returns undefined if the number is above 2^53 - 1.
 */
export function bytesToNumber(bytes: Uint8Array): number | undefined {
  let value = 0
  for (const byte of bytes) {
    value = value * 256 + byte
    if (value > Number.MAX_SAFE_INTEGER) return undefined
  }
  return value
}

/** Decodes big-endian bytes of any length; 0n for no bytes. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(bytesToHex(bytes))
}

/**
 * Encodes an unsigned integer as big-endian bytes.
 *
 * @param length bytes of the result; leading ones are zero.
 * @throws RangeError if the value is negative or does not fit.
 */
export function bigIntToBytes(value: bigint, length: number): Uint8Array {
  const bytes = parseHex(`0x${value.toString(16).padStart(2 * length, '0')}`)
  if (bytes?.length !== length) throw new RangeError(`${value} does not fit into ${length} bytes`)
  return bytes
}

/** Encodes UTF-8 as TextEncoder does, which the pure packages do not have. A lone surrogate becomes U+FFFD. */
export function utf8ToBytes(text: string): Uint8Array {
  // A UTF-16 unit takes at most three bytes; a surrogate pair takes four for its two units.
  const out = new Uint8Array(3 * text.length)
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!
    if (point < 0x80) out[at++] = point
    else if (point < 0x800) {
      out[at++] = 0xc0 | (point >> 6)
      out[at++] = 0x80 | (point & 63)
    } else {
      const surrogate = point >= 0xd800 && point <= 0xdfff
      at = writeLongPoint(out, at, surrogate ? 0xfffd : point)
      if (point > 0xffff) i++
    }
  }
  return out.slice(0, at)
}

/** Writes a code point of three or four bytes and returns the position after it. */
function writeLongPoint(out: Uint8Array, start: number, point: number): number {
  let at = start
  if (point < 0x10000) out[at++] = 0xe0 | (point >> 12)
  else {
    out[at++] = 0xf0 | (point >> 18)
    out[at++] = 0x80 | ((point >> 12) & 63)
  }
  out[at++] = 0x80 | ((point >> 6) & 63)
  out[at++] = 0x80 | (point & 63)
  return at
}

/** UTF-16 units per call of String.fromCharCode, whose arguments go on the stack. */
const TEXT_CHUNK = 4096

/**
 * Decodes UTF-8 as a strict TextDecoder does.
 *
 * @returns undefined for invalid UTF-8: overlong forms, surrogates, code points above U+10FFFF, or a truncated sequence.
 */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  let text = ''
  const units: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const head = bytes[at]!
    if (head < 0x80) {
      units.push(head)
      at++
    } else {
      const length = head < 0xe0 ? 2 : head < 0xf0 ? 3 : 4
      const point = codePoint(bytes, at, length)
      if (point === undefined) return undefined
      if (point < 0x10000) units.push(point)
      else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff))
      at += length
    }
    if (units.length >= TEXT_CHUNK) {
      text += String.fromCharCode(...units)
      units.length = 0
    }
  }
  return text + String.fromCharCode(...units)
}

/** Smallest code point that needs this many bytes; a smaller one is overlong. */
const POINT_MIN: readonly number[] = [0, 0, 0x80, 0x800, 0x10000]

/** Decodes a sequence of 2 to 4 bytes; undefined if it is invalid. */
function codePoint(bytes: Uint8Array, at: number, length: number): number | undefined {
  const head = bytes[at]!
  if (head < 0xc0 || head > 0xf7 || at + length > bytes.length) return undefined
  let point = head & (0x7f >> length)
  for (let i = at + 1; i < at + length; i++) {
    const byte = bytes[i]!
    if (byte >> 6 !== 2) return undefined
    point = (point << 6) | (byte & 63)
  }
  const surrogate = point >= 0xd800 && point <= 0xdfff
  return point < POINT_MIN[length]! || point > 0x10ffff || surrogate ? undefined : point
}
