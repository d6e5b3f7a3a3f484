import { crc32c } from '@node-rs/crc32'

/**
 * LevelDB's log format (doc/log_format.md): 32 KiB blocks of fragments.
 *
 *    fragment = masked CRC-32C of type and data (u32) ‖ length of the data (u16) ‖ type (u8) ‖ data; little-endian
 *    type     = 1 a whole batch, or 2 its first, 3 a middle, 4 its last part
 *
 * LevelDB silently skips fragments that fail their checksum and continues after them: blocks are lost from the middle of the chain.
 */
const BLOCK_BYTES = 32 * 1024
const HEAD_BYTES = 7
const FULL = 1
const FIRST = 2
const LAST = 4

/** Damage of a log that is not a torn tail. */
export interface LogFault {
  /** Start of the first unreadable batch. Everything before it is intact. */
  readonly at: number
  /** Start of a later, intact batch: it was written after the damaged one was on disk. */
  readonly provenBy: number
}

/** A stored checksum. LevelDB masks checksums that are stored next to data that contains checksums itself. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0
}

/**
 * Looks for damage in a log. The node awaits the sync of each batch before it writes the next, so a crash can spoil only the last one, in
 * any part. So an unreadable batch before a readable one is damage.
 */
export function findLogFault(bytes: Uint8Array): LogFault | undefined {
  /** Start of the batch to which the next fragment belongs. */
  let batch = 0
  let isOpen = false
  let isBad = false
  for (const fragment of fragments(bytes)) {
    const begins = fragment?.type === FULL || fragment?.type === FIRST
    if (begins && (isBad || isOpen)) return { at: batch, provenBy: fragment.at }
    if (fragment === undefined) isBad = true
    if (isBad || fragment === undefined) continue
    isOpen = fragment.type !== FULL && fragment.type !== LAST
    if (!isOpen) batch = fragment.end
  }
  return undefined
}

interface Fragment {
  readonly at: number
  readonly end: number
  readonly type: number
}

/** Yields intact fragments; undefined for unreadable bytes between them. */
function* fragments(bytes: Uint8Array): Generator<Fragment | undefined> {
  for (let block = 0; block < bytes.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, bytes.length)
    let isBad = false
    for (let at = block; at + HEAD_BYTES <= end; ) {
      const fragment = fragmentAt(bytes, at, end)
      if (fragment === undefined) {
        // The length may be wrong, so it does not tell where the next fragment begins.
        if (!isBad) yield undefined
        isBad = true
        at++
      } else {
        yield fragment
        isBad = false
        at = fragment.end
      }
    }
  }
}

function fragmentAt(bytes: Uint8Array, at: number, blockEnd: number): Fragment | undefined {
  const type = bytes[at + 6]!
  if (type < FULL || type > LAST) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at)
  const end = at + HEAD_BYTES + view.getUint16(4, true)
  if (end > blockEnd || maskedCrc32c(bytes.subarray(at + 6, end)) !== view.getUint32(0, true)) return undefined
  return { at, end, type }
}
