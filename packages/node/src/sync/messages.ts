import { type CertifiedBlock, certifiedBlockCodec, codec, type Hash, type Height } from '@quoin/protocol'
import { SYNC_LIMITS } from './limits.ts'

/** First byte of every block sync request: distinguishes it from other requests on the same transport. */
export const SYNC_REQUEST = 0x01

/** Position of a node in the chain. */
export interface Status {
  readonly genesisHash: Hash
  readonly height: Height
  /** Hash of the block at `height`. */
  readonly hash: Hash
}

const status: codec.Codec<Status> = codec.struct({ genesisHash: codec.hash, height: codec.u64<Height>(), hash: codec.hash })

/** `status` sends the client's own status and asks for the peer's. `blocks` asks for final blocks from a height on. */
export type SyncRequest =
  | ({ readonly kind: 'status' } & Status)
  | { readonly kind: 'blocks'; readonly from: Height; readonly countMax: number; readonly bytesMax: number }

const question: codec.Codec<SyncRequest> = codec.union({
  status,
  blocks: codec.struct({
    from: codec.u64<Height>(),
    countMax: codec.u32(SYNC_LIMITS.answerBlocksMax),
    bytesMax: codec.u32(SYNC_LIMITS.answerBytesMax),
  }),
})

/** Codec of requests, including their first byte `SYNC_REQUEST`. */
export const syncRequestCodec: codec.Codec<SyncRequest> = {
  bytesMax: 1 + question.bytesMax,
  write(writer, value) {
    writer.u8(SYNC_REQUEST)
    question.write(writer, value)
  },
  read(reader) {
    const kind = reader.u8()
    return kind === SYNC_REQUEST ? question.read(reader) : reader.fail(`first byte ${kind} is not a block sync request`)
  },
}

/** Codec of the answer to `status`. */
export const statusCodec = status

/**
 * Codec of the answer to `blocks`: from 1 to `countMax` blocks. An honest answer ends with the block that reaches a limit, so anything
 * after it is refused before it is decoded: decoding an answer is one synchronous step and blocks all other work of the process.
 */
export const blocksCodecOf = (countMax: number): codec.Codec<readonly CertifiedBlock[]> => ({
  bytesMax: SYNC_LIMITS.responseBytesMax,
  write(writer, blocks) {
    if (blocks.length === 0) throw new RangeError('the answer contains no blocks')
    codec.list(certifiedBlockCodec, countMax).write(writer, blocks)
  },
  read(reader) {
    const count = reader.u32()
    if (count === 0) reader.fail('the answer contains no blocks')
    if (count > countMax) reader.fail(`the answer contains ${count} blocks, at most ${countMax} are allowed`)
    const start = reader.at
    const blocks: CertifiedBlock[] = []
    for (let transactions = 0; blocks.length < count; ) {
      const bytes = reader.at - start
      if (isFull(bytes, transactions))
        reader.fail(
          `block ${blocks.length} exceeds the answer's limit: the blocks before it have ${transactions} transactions and ${bytes} bytes`,
        )
      const block = certifiedBlockCodec.read(reader)
      transactions += block.transactions.length
      blocks.push(block)
    }
    return blocks
  },
})

const isFull = (bytes: number, transactions: number): boolean =>
  bytes >= SYNC_LIMITS.answerBytesMax || transactions >= SYNC_LIMITS.answerTransactionsMax

export const blocksCodec = blocksCodecOf(SYNC_LIMITS.answerBlocksMax)
