import { concatBytes, NODE_BYTES, numberToBytes } from '@quoin/protocol'
import { TREE_SPACE } from '../head.ts'

/**
 * The tree's records in the database, all with the prefix byte 20:
 *
 *   20 00                            head: format, D, height, oldest undo record, root (`../head.ts`)
 *   20 01 prefix(4) [nibble…]        page: leaves of a bucket in key order (key ‖ vh, 64 bytes each), or a split
 *   20 02 prefix(4)                  root of a bucket, 32 bytes; absent when empty. All are read when the tree is opened
 *   20 03 height(8)                  undo: root before that height, and the former root of each bucket it changed (`undo.ts`)
 *   20 04 height(8)                  undo: the former pages of each bucket it changed
 *
 * `prefix` is the first D bits of the keys, as a number. A split page has 16 children, one for each value of the next 4 bits.
 * Their page keys are the parent's key with that nibble appended as a byte.
 */
const RECORD = { page: 0x01, root: 0x02, undoRoots: 0x03, undoPages: 0x04 } as const

export const TREE_FORMAT = 1
export const LEAF_BYTES = 2 * NODE_BYTES

const BUCKET_KEY_BYTES = 6

/**
 * Keys of one kind of record for many buckets. They share one buffer: thousands of small buffers would take a fifth of a batch's
 * time.
 */
function bucketKeys(record: number, prefixes: ArrayLike<number>): readonly Uint8Array[] {
  const bytes = new Uint8Array(BUCKET_KEY_BYTES * prefixes.length)
  const view = new DataView(bytes.buffer)
  return Array.from(prefixes, (prefix, i) => {
    const at = BUCKET_KEY_BYTES * i
    bytes[at] = TREE_SPACE
    bytes[at + 1] = record
    view.setUint32(at + 2, prefix)
    return bytes.subarray(at, at + BUCKET_KEY_BYTES)
  })
}

export const pageKeys = (prefixes: ArrayLike<number>): readonly Uint8Array[] => bucketKeys(RECORD.page, prefixes)
export const rootKeys = (prefixes: ArrayLike<number>): readonly Uint8Array[] => bucketKeys(RECORD.root, prefixes)
export const pageKey = (prefix: number): Uint8Array => pageKeys([prefix])[0]!

/** Bucket of a page. */
export const prefixOfPageKey = (key: Uint8Array): number => key[2]! * 2 ** 24 + ((key[3]! << 16) | (key[4]! << 8) | key[5]!)

/** Bucket whose root is stored under this key; undefined for any other key. */
export const prefixOfRootKey = (key: Uint8Array): number | undefined =>
  key.length === BUCKET_KEY_BYTES ? prefixOfPageKey(key) : undefined

const heightKey = (record: number, height: number): Uint8Array =>
  concatBytes(Uint8Array.of(TREE_SPACE, record), numberToBytes(height, 8))

export const undoRootsKey = (height: number): Uint8Array => heightKey(RECORD.undoRoots, height)
export const undoPagesKey = (height: number): Uint8Array => heightKey(RECORD.undoPages, height)

/** Range of all bucket roots: first key, and the key after the last. */
export const rootsRange = {
  from: Uint8Array.of(TREE_SPACE, RECORD.root),
  to: Uint8Array.of(TREE_SPACE, RECORD.root + 1),
} as const

/** Page key of the child `nibble` of a split page. */
export function childKey(page: Uint8Array, nibble: number): Uint8Array {
  const key = new Uint8Array(page.length + 1)
  key.set(page)
  key[page.length] = nibble
  return key
}

/** A record contradicts itself or others. The database is damaged, or another program wrote it. */
export class TreeCorruption extends Error {
  constructor(what: string) {
    super(`state tree: ${what}`)
    this.name = 'TreeCorruption'
  }
}
