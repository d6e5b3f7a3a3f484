import { NODE_BYTES } from '@quoin/protocol'
import { LEAF_BYTES, TreeCorruption } from './records.ts'

/** A split page has one child for each value of the next 4 key bits. */
export const SPLIT_BITS = 4
export const CHILDREN = 2 ** SPLIT_BITS
const CHILD_BYTES = NODE_BYTES + 4
/** First byte of a split page. Its length is not a multiple of 64, which distinguishes it from a page of leaves. */
const SPLIT_TAG = 0x10
const SPLIT_BYTES = 1 + CHILDREN * CHILD_BYTES

/** One child of a split page: the number of leaves below it, and their root (32 bytes, zero when there are none). */
export interface Child {
  readonly count: number
  readonly root: Uint8Array
}

/** Whether a page is split; other pages hold leaves. */
export const isSplit = (record: Uint8Array): boolean => record.length === SPLIT_BYTES && record[0] === SPLIT_TAG

/** Number of leaves in a page that is not split. */
export function leafCount(record: Uint8Array): number {
  if (record.length % LEAF_BYTES !== 0 || record.length === 0)
    throw new TreeCorruption(`a page has ${record.length} bytes, which is not a positive multiple of ${LEAF_BYTES}`)
  return record.length / LEAF_BYTES
}

export function encodeSplit(children: readonly Child[]): Uint8Array {
  const record = new Uint8Array(SPLIT_BYTES)
  const view = new DataView(record.buffer)
  record[0] = SPLIT_TAG
  children.forEach(({ count, root }, nibble) => {
    const at = 1 + nibble * CHILD_BYTES
    view.setUint32(at, count)
    record.set(root, at + 4)
  })
  return record
}

export function decodeSplit(record: Uint8Array): readonly Child[] {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  return Array.from({ length: CHILDREN }, (_, nibble) => {
    const at = 1 + nibble * CHILD_BYTES
    return { count: view.getUint32(at), root: record.subarray(at + 4, at + CHILD_BYTES) }
  })
}

/** The `bits` bits (at most 24) from bit `depth` of the key at `offset`, as a number. */
export function keyBits(bytes: Uint8Array, offset: number, depth: number, bits: number): number {
  let value = 0
  const first = offset + (depth >> 3)
  for (let byte = 0; byte < 4; byte++) value = value * 256 + (bytes[first + byte] ?? 0)
  return Math.floor(value / 2 ** (32 - (depth & 7) - bits)) % 2 ** bits
}
