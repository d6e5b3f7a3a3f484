/**
 * CRC-32C (Castagnoli) of bytes, as an unsigned 32-bit integer. Passed in as a power: the node uses a native implementation, the simulator
 * `crc32cTable`.
 */
export type Crc32c = (bytes: Uint8Array) => number

/** RFC 3720, appendix B.4: reversed polynomial. */
const POLYNOMIAL = 0x82f6_3b78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/** Portable CRC-32C, table-driven. */
export const crc32cTable: Crc32c = (bytes) => {
  let crc = 0xffff_ffff
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}
