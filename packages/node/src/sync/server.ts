import { concatBytes, Height, numberToBytes } from '@quoin/protocol'
import type { BlockReader } from '../store/types.ts'
import { SYNC_LIMITS } from './limits.ts'

/**
 * Encoded answer to `blocks`, or undefined when the first block asked for is not there. The blocks lie on disk as they travel, so that
 * nothing is decoded.
 */
export function answerBlocks(
  reader: BlockReader,
  { from, countMax, bytesMax }: { readonly from: Height; readonly countMax: number; readonly bytesMax: number },
): Uint8Array | undefined {
  const blocks: Uint8Array[] = []
  const wanted = { count: Math.min(countMax, SYNC_LIMITS.answerBlocksMax), bytes: Math.min(bytesMax, SYNC_LIMITS.answerBytesMax) }
  for (let bytes = 0; blocks.length < wanted.count && bytes < wanted.bytes; ) {
    const block = reader.certifiedBlock(Height(from + blocks.length))
    if (block === undefined) break
    blocks.push(block)
    bytes += block.length
  }
  return blocks.length === 0 ? undefined : concatBytes(numberToBytes(blocks.length, 4), ...blocks)
}
