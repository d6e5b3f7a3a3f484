import { codec, concatBytes, HEADER_BYTES, Height, numberToBytes } from '@quoin/protocol'
import type { BlockReader } from '../store/types.ts'
import { SYNC_LIMITS } from './limits.ts'

/** Start of a stored block, up to the number of its transactions. */
const blockHead = codec.struct({ header: codec.fixedBytes(HEADER_BYTES), transactionsCount: codec.u32() })

/**
 * Encodes the answer to `blocks`; undefined if the first requested block is not available. Blocks are stored in wire format, so only their
 * transaction counts are decoded.
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
    // A damaged record is found elsewhere.
    if (head.ok) count += head.value.transactionsCount
  }
  return blocks.length === 0 ? undefined : concatBytes(numberToBytes(blocks.length, 4), ...blocks)
}
