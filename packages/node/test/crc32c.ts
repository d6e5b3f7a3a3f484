import type { Crc32c } from '../src/engine/crc32c.ts'

/** RFC 3720, appendix B.4: reversed polynomial. */
const POLYNOMIAL = 0x82f6_3b78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/** Portable CRC-32C: what the simulator and tests pass in place of the native one. */
export const crc32cTable: Crc32c = (bytes) => {
  let crc = 0xffff_ffff
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}
