import { GAS } from '@quoin/execution'
import {
  bodyCodec,
  bodyCodecOf,
  type CommitCertificate,
  type CompactBlock,
  codec,
  commitCertificateCodec,
  compactBlockCodec,
  err,
  type Hash,
  type Height,
  LIMITS,
  type PolkaCertificate,
  type Proposal,
  polkaCertificateCodec,
  proposalCodec,
  type RawBlock,
  type Result,
  type Round,
  type RoundCertificate,
  rawBlockCodec,
  rawBlockCodecOf,
  roundCertificateCodec,
  type Vote,
  voteCodec,
} from '@quoin/protocol'
import { ENGINE_LIMITS } from './limits.ts'

/** What travels between engines on the ordered stream. Everything but `status` is signed by validators inside. */
export type EngineMessage =
  /** The block by its transactions' hashes. A re-proposal carries the polka that it rests on. */
  | {
      readonly kind: 'proposal'
      readonly proposal: Proposal
      readonly block: CompactBlock
      readonly polka: PolkaCertificate | undefined
    }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'polkaCertificate'; readonly certificate: PolkaCertificate }
  | { readonly kind: 'roundCertificate'; readonly certificate: RoundCertificate }
  /** For a peer that has not decided this height. */
  | { readonly kind: 'commitCertificate'; readonly certificate: CommitCertificate }
  /** The height and round that the sender is in. Not signed: a hint. */
  | { readonly kind: 'status'; readonly height: Height; readonly round: Round }

const messageCodec: codec.Codec<EngineMessage> = codec.union({
  proposal: codec.struct({
    proposal: proposalCodec,
    block: compactBlockCodec,
    polka: codec.optional(polkaCertificateCodec),
  }),
  vote: codec.struct({ vote: voteCodec }),
  polkaCertificate: codec.struct({ certificate: polkaCertificateCodec }),
  roundCertificate: codec.struct({ certificate: roundCertificateCodec }),
  commitCertificate: codec.struct({ certificate: commitCertificateCodec }),
  status: codec.struct({ height: codec.u64<Height>(), round: codec.u32<Round>() }),
})

export const MESSAGE_BYTES_MAX = messageCodec.bytesMax

export const encodeMessage = (message: EngineMessage): Uint8Array => codec.encode(messageCodec, message)
export const decodeMessage = (bytes: Uint8Array): Result<EngineMessage, codec.DecodeError> => codec.decode(messageCodec, bytes)

/** What can be read of a message without its body: a block's list of transactions, a certificate's signatures. */
export type MessageHead =
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | {
      readonly kind: 'polkaCertificate' | 'commitCertificate'
      readonly height: Height
      readonly round: Round
      readonly valueId: Hash
    }
  | {
      readonly kind: 'roundCertificate'
      readonly height: Height
      readonly round: Round
      readonly reason: RoundCertificate['reason']
    }
  | { readonly kind: 'status'; readonly height: Height; readonly round: Round }

const heightRound = { height: codec.u64<Height>(), round: codec.u32<Round>() } as const

/** As `messageCodec`, up to where the bodies begin. */
const headCodec: codec.Codec<MessageHead> = codec.union({
  proposal: codec.struct({ proposal: proposalCodec }),
  vote: codec.struct({ vote: voteCodec }),
  polkaCertificate: codec.struct({ ...heightRound, valueId: codec.hash }),
  roundCertificate: codec.struct({ ...heightRound, reason: codec.eitherOf('precommit-any', 'skip') }),
  commitCertificate: codec.struct({ ...heightRound, valueId: codec.hash }),
  status: codec.struct(heightRound),
})

export const decodeMessageHead = (bytes: Uint8Array): Result<MessageHead, codec.DecodeError> => codec.decodeHead(headCodec, bytes)

/** The height and round that a message is about. */
export function messagePosition(head: MessageHead): { readonly height: Height; readonly round: Round } {
  if (head.kind === 'proposal') return head.proposal
  return head.kind === 'vote' ? head.vote : head
}

const HASH_BYTES = 32

/** Transactions that a block can have: each takes its intrinsic gas. */
export const blockTransactionsMax = (blockGasMax: number): number =>
  Math.min(LIMITS.blockTransactionsMax, Math.floor(blockGasMax / GAS.transaction))

/** The most that a proposal takes whose block can be valid. Larger ones are refused unread: a hash of the list costs a microsecond and more. */
export const proposalBytesMax = (blockGasMax: number): number =>
  messageCodec.bytesMax - HASH_BYTES * (LIMITS.blockTransactionsMax - blockTransactionsMax(blockGasMax))

/** First byte of the questions that engines ask each other; the rest of the space belongs to others (block sync). */
export const ENGINE_REQUEST = 0x02

/** A question to one peer. */
export type BodyRequest =
  /** Some transactions, of a block that the peer may hold or from its pool. Answered by those it has, in any order. */
  | { readonly kind: 'transactions'; readonly blockHash: Hash; readonly hashes: readonly Hash[] }
  /** A whole block by its hash. */
  | { readonly kind: 'block'; readonly blockHash: Hash }

const requestCodec: codec.Codec<BodyRequest> = codec.union({
  transactions: codec.struct({
    blockHash: codec.hash,
    hashes: codec.list(codec.hash, ENGINE_LIMITS.transactionsPerRequestCountMax),
  }),
  block: codec.struct({ blockHash: codec.hash }),
})

export const REQUEST_BYTES_MAX = 1 + requestCodec.bytesMax

/** Kind, tag, hash of the block, length of the list. */
const REQUEST_HEAD_BYTES_MAX = 1 + 1 + HASH_BYTES + 4

export function encodeRequest(request: BodyRequest): Uint8Array {
  const body = codec.encode(requestCodec, request)
  const out = new Uint8Array(1 + body.length)
  out[0] = ENGINE_REQUEST
  out.set(body, 1)
  return out
}

/** A question of a peer, for no more transactions than a block can have. */
export function decodeRequest(bytes: Uint8Array, blockGasMax: number): Result<BodyRequest, codec.DecodeError> {
  if (bytes[0] !== ENGINE_REQUEST) return err({ code: 'malformed', message: `a question of kind ${bytes[0]}` })
  const countMax = blockTransactionsMax(blockGasMax)
  if (bytes.length > REQUEST_HEAD_BYTES_MAX + HASH_BYTES * countMax)
    return err({
      code: 'malformed',
      message: `a question of ${bytes.length} bytes, a block has at most ${countMax} transactions`,
    })
  return codec.decode(requestCodec, bytes.subarray(1))
}

export const encodeTransactions = (raws: readonly Uint8Array[]): Uint8Array => codec.encode(bodyCodec, raws)
/** At most as many as were asked for; nothing is read of more. */
export const decodeTransactions = (bytes: Uint8Array, countMax: number): Result<readonly Uint8Array[], codec.DecodeError> =>
  codec.decode(bodyCodecOf(countMax), bytes)

export const encodeBlock = (block: RawBlock): Uint8Array => codec.encode(rawBlockCodec, block)
/** A block of a height whose blocks have this gas; nothing is read of one that has more transactions than it pays for. */
export const decodeBlock = (bytes: Uint8Array, blockGasMax: number): Result<RawBlock, codec.DecodeError> =>
  codec.decode(rawBlockCodecOf(blockTransactionsMax(blockGasMax)), bytes)

/** Largest sum of transactions in one answer. */
export const RESPONSE_BYTES_MAX = LIMITS.blockBytesMax
