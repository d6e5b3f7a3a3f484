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

/** Answer to `blocks`: at least one. */
export const blocksCodec: codec.Codec<readonly CertifiedBlock[]> = {
  ...codec.checked(codec.list(certifiedBlockCodec, SYNC_LIMITS.answerBlocksMax), (blocks) =>
    blocks.length === 0 ? 'an answer without blocks' : undefined,
  ),
  bytesMax: SYNC_LIMITS.responseBytesMax,
}
