import { codec, concatBytes, Height, LIMITS, numberToBytes } from '@quoin/protocol'
import type { BlockReader } from '../store/types.ts'
import { SYNC_LIMITS } from './limits.ts'

/** Up to the number of a block's transactions. */
const blockHead = codec.struct({ header: codec.bytes(LIMITS.headerBytesMax), transactionsCount: codec.u32() })

/**
 * Encoded answer to `blocks`, or undefined when the first block asked for is not there. The blocks lie on disk as they travel, so that
 * nothing of them is decoded but how many transactions they have.
 */
export function answerBlocks(
  reader: Pick<BlockReader, 'certifiedBlock'>,
  { from, countMax, bytesMax }: { readonly from: Height; readonly countMax: number; readonly bytesMax: number },
): Uint8Array | undefined {
  const blocks: Uint8Array[] = []
  const wanted = { count: Math.min(countMax, SYNC_LIMITS.answerBlocksMax), bytes: Math.min(bytesMax, SYNC_LIMITS.answerBytesMax) }
  const { answerTransactionsMax } = SYNC_LIMITS
  for (let bytes = 0, count = 0; blocks.length < wanted.count && bytes < wanted.bytes && count < answerTransactionsMax; ) {
    const block = reader.certifiedBlock(Height(from + blocks.length))
    if (block === undefined) break
    blocks.push(block)
    bytes += block.length
    const head = codec.decodeHead(blockHead, block)
    // A record that is damaged is found elsewhere.
    if (head.ok) count += head.value.transactionsCount
  }
  return blocks.length === 0 ? undefined : concatBytes(numberToBytes(blocks.length, 4), ...blocks)
}
