import { crc32c } from '@node-rs/crc32'

/** CRC-32C (RFC 3720, appendix B.4: reversed polynomial), eight bytes at a time: table k is for the byte that k others follow. */
const POLYNOMIAL = 0x82f6_3b78
const SLICES = 8
const TABLES = new Uint32Array(SLICES * 256)
for (let byte = 0; byte < 256; byte++) {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  TABLES[byte] = value
}
for (let at = 256; at < TABLES.length; at++) {
  const before = TABLES[at - 256]!
  TABLES[at] = TABLES[before & 0xff]! ^ (before >>> 8)
}

/** For small records (most records) JavaScript is faster than a call into native code: 0.1 µs instead of 0.2 for 150 bytes. */
const PORTABLE_BYTES_MAX = 256

/** CRC-32C of the key and the first `length` bytes of the record, as an unsigned 32-bit integer. */
export function recordChecksum(key: Uint8Array, record: Uint8Array, length: number): number {
  if (key.length + length > PORTABLE_BYTES_MAX) return crc32c(record.subarray(0, length), crc32c(key))
  return ~update(update(-1, key, key.length), record, length) >>> 0
}

function update(before: number, bytes: Uint8Array, length: number): number {
  let crc = before
  let at = 0
  for (const end = length - SLICES + 1; at < end; at += SLICES) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      TABLES[0x700 + (crc & 0xff)]! ^
      TABLES[0x600 + ((crc >>> 8) & 0xff)]! ^
      TABLES[0x500 + ((crc >>> 16) & 0xff)]! ^
      TABLES[0x400 + (crc >>> 24)]! ^
      TABLES[0x300 + bytes[at + 4]!]! ^
      TABLES[0x200 + bytes[at + 5]!]! ^
      TABLES[0x100 + bytes[at + 6]!]! ^
      TABLES[bytes[at + 7]!]!
  }
  for (; at < length; at++) crc = TABLES[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return crc
}
