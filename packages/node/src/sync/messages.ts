import { type CertifiedBlock, certifiedBlockCodec, codec, type Hash, type Height } from '@quoin/protocol'
import { SYNC_LIMITS } from './limits.ts'

/** First byte of every question of block sync: tells it from the questions of other parts on the same transport. */
export const SYNC_REQUEST = 0x01

/** How far a node is. */
export interface Status {
  readonly genesisHash: Hash
  readonly height: Height
  /** Of the block at `height`. */
  readonly hash: Hash
}

const status: codec.Codec<Status> = codec.struct({ genesisHash: codec.hash, height: codec.u64<Height>(), hash: codec.hash })

/** `status` tells the asker's own and asks for the other's; `blocks` asks for final blocks from a height on. */
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

export const syncRequestCodec: codec.Codec<SyncRequest> = {
  bytesMax: 1 + question.bytesMax,
  write(writer, value) {
    writer.u8(SYNC_REQUEST)
    question.write(writer, value)
  },
  read(reader) {
    const kind = reader.u8()
    return kind === SYNC_REQUEST ? question.read(reader) : reader.fail(`first byte ${kind} is not block sync's`)
  },
}

export const statusCodec = status

/**
 * Answer to `blocks`: from one to `countMax`. An honest one ends with the block that brings it to a limit, so that nothing is read of what
 * follows there: an answer is read at one go, and holds all other work of the process as long.
 */
export const blocksCodecOf = (countMax: number): codec.Codec<readonly CertifiedBlock[]> => ({
  bytesMax: SYNC_LIMITS.responseBytesMax,
  write(writer, blocks) {
    if (blocks.length === 0) throw new RangeError('an answer without blocks')
    codec.list(certifiedBlockCodec, countMax).write(writer, blocks)
  },
  read(reader) {
    const count = reader.u32()
    if (count === 0) reader.fail('an answer without blocks')
    if (count > countMax) reader.fail(`${count} blocks, at most ${countMax} are allowed`)
    const start = reader.at
    const blocks: CertifiedBlock[] = []
    for (let transactions = 0; blocks.length < count; ) {
      const bytes = reader.at - start
      if (isFull(bytes, transactions))
        reader.fail(`block ${blocks.length} of an answer that was full with ${transactions} transactions of ${bytes} bytes`)
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
