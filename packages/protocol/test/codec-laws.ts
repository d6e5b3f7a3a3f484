import { expect } from 'vitest'
import { bytesToHex, concatBytes, equalBytes } from '../src/bytes.ts'
import { type Codec, decode, encode } from '../src/codec.ts'
import { unwrap } from '../src/result.ts'

/** Selects the comparable part of a value, for values that have methods. */
export type Plain<T> = (value: T) => unknown

/** Checks that a value encodes within the limit and decodes to the same value, also from the middle of a larger buffer. Returns the encoding. */
export function checkRoundTrip<T>(type: Codec<T>, value: T, plain: Plain<T> = (same) => same): Uint8Array {
  const bytes = encode(type, value)
  expect(bytes.length).toBeLessThanOrEqual(type.bytesMax)
  expect(plain(unwrap(decode(type, bytes)))).toEqual(plain(value))
  const inside = concatBytes(Uint8Array.of(0xaa), bytes, Uint8Array.of(0xbb)).subarray(1, 1 + bytes.length)
  expect(plain(unwrap(decode(type, inside)))).toEqual(plain(value))
  return bytes
}

/** Checks that bytes which decode are the only encoding of their value; throws if not. Returns whether they decoded. */
export function checkCanonical<T>(type: Codec<T>, bytes: Uint8Array): boolean {
  const decoded = decode(type, bytes)
  if (!decoded.ok) return false
  const again = encode(type, decoded.value)
  if (!equalBytes(again, bytes))
    throw new Error(`not canonical: ${bytesToHex(bytes)} decodes to the value of ${bytesToHex(again)}`)
  return true
}

/** Checks that every truncation and every trailing byte is refused, and that every changed bit or byte is refused or gives another value. */
export function checkStrict<T>(type: Codec<T>, bytes: Uint8Array): void {
  for (let length = 0; length < bytes.length; length++) {
    if (decode(type, bytes.subarray(0, length)).ok) throw new Error(`${length} of ${bytes.length} bytes decode`)
  }
  for (const byte of [0, 1, 0xff]) {
    if (decode(type, concatBytes(bytes, Uint8Array.of(byte))).ok) throw new Error(`a further byte ${byte} decodes`)
  }
  for (const neighbour of neighbours(bytes)) checkCanonical(type, neighbour)
}

/** All variants that differ in one bit or have one byte replaced by 00 or ff. */
export function* neighbours(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) {
    const was = bytes[at]!
    const values = new Set([0x00, 0xff, ...Array.from({ length: 8 }, (_, bit) => was ^ (1 << bit))])
    values.delete(was)
    for (const value of values) yield bytes.with(at, value)
  }
}
