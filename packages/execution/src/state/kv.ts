/**
 * The database as execution sees it: synchronous point reads of the committed state. The writes of a block are returned as a
 * batch; the node's store writes it together with the block, in one synced write. Key spaces 0x10 to 0x2f belong to this package
 * (`keys.ts`).
 */
export interface KvReader {
  get(key: Uint8Array): Uint8Array | undefined
}

/** One write; an undefined value deletes the key. */
export interface KvOp {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}
