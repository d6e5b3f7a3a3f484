import type { Height } from '@quoin/protocol'
import type { BlockReader } from '../store/types.ts'

type BlockPart = 'header' | 'stamp' | 'logsBloom' | 'receipts' | 'encodedReceipts' | 'senders' | 'transactionHashes'

/** Reads a part of a block that must be stored. */
export function storedPart<P extends BlockPart>(
  reader: BlockReader,
  part: P,
  height: Height,
): NonNullable<ReturnType<BlockReader[P]>> {
  const value = reader[part](height)
  if (value === undefined) throw new Error(`the database is damaged: no ${part} of block ${height}`)
  return value as NonNullable<ReturnType<BlockReader[P]>>
}
