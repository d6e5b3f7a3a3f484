import { codec, type Hash, type Height } from '@quoin/protocol'
import type { KvReader } from './kv.ts'

/** The record of the committed state: which height is in the database, under which root, and how its tree lies there. */
export interface HeadRecord {
  readonly format: number
  readonly depth: number
  readonly height: Height
  /** First height with an undo record; height + 1 when there is none. */
  readonly oldestUndo: Height
  readonly root: Hash
}

/** Prefix byte of the tree's records in the database. */
export const TREE_SPACE = 0x20

/** The first key of the tree's space, because the batch that writes the tree writes it. The other records are in `tree/records.ts`. */
export const headKey = Uint8Array.of(TREE_SPACE, 0x00)

export const headCodec: codec.Codec<HeadRecord> = codec.struct({
  format: codec.u8(),
  depth: codec.u8(),
  height: codec.u64<Height>(),
  oldestUndo: codec.u64<Height>(),
  root: codec.hash,
})

/** Height of the state that is in the database; undefined before genesis, and where there is no tree. */
export function headHeight(kv: KvReader): number | undefined {
  const record = kv.get(headKey)
  if (record === undefined) return undefined
  const head = codec.decode(headCodec, record)
  return head.ok ? head.value.height : undefined
}
