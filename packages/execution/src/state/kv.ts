/**
 * What execution sees of the database: synchronous point reads of the committed state, and the batch that would change it. Key
 * spaces 0x10 to 0x2f belong to this package (`keys.ts`); the node's store writes the batch together with the block, in one synced
 * write.
 */
export interface KvReader {
  get(key: Uint8Array): Uint8Array | undefined
}

/** One write; `undefined` deletes. */
export interface KvOp {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}
