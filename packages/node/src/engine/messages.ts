import { GAS } from '@quoin/execution'
import {
  bodyCodec,
  bodyCodecOf,
  type CommitCertificate,
  type CompactBlock,
  codec,
  commitCertificateCodec,
  compactBlockCodec,
  type Evidence,
  err,
  evidenceCodec,
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

/** Messages between engines, sent on the ordered stream. All except `status` contain signatures of validators. */
export type EngineMessage =
  /** The block as a header and transaction hashes. A re-proposal carries its polka certificate. */
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
  /** Height and round of the sender. Not signed: a hint only. */
  | { readonly kind: 'status'; readonly height: Height; readonly round: Round }
  /** Two messages of a validator that contradict each other, of any height. */
  | { readonly kind: 'evidence'; readonly evidence: Evidence }

const evidenceMember: codec.Codec<{ readonly evidence: Evidence }> = codec.struct({ evidence: evidenceCodec })

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
  evidence: evidenceMember,
})

export const MESSAGE_BYTES_MAX = messageCodec.bytesMax

/** Encodes a message for the ordered stream. */
export const encodeMessage = (message: EngineMessage): Uint8Array => codec.encode(messageCodec, message)

/** Decodes a message of the ordered stream. Verifies no signatures. */
export const decodeMessage = (bytes: Uint8Array): Result<EngineMessage, codec.DecodeError> => codec.decode(messageCodec, bytes)

/** The part of a message that can be decoded without its body (a block's transaction list, a certificate's signatures). */
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
  | { readonly kind: 'evidence'; readonly evidence: Evidence }

const heightRound = { height: codec.u64<Height>(), round: codec.u32<Round>() } as const

/** Same layout as `messageCodec`, up to where the bodies begin. */
const headCodec: codec.Codec<MessageHead> = codec.union({
  proposal: codec.struct({ proposal: proposalCodec }),
  vote: codec.struct({ vote: voteCodec }),
  polkaCertificate: codec.struct({ ...heightRound, valueId: codec.hash }),
  roundCertificate: codec.struct({ ...heightRound, reason: codec.eitherOf('precommit-any', 'skip') }),
  commitCertificate: codec.struct({ ...heightRound, valueId: codec.hash }),
  status: codec.struct(heightRound),
  evidence: evidenceMember,
})

/** Decodes only the head of a message: cheap, whatever the size of its body. */
export const decodeMessageHead = (bytes: Uint8Array): Result<MessageHead, codec.DecodeError> => codec.decodeHead(headCodec, bytes)

/** Height and round of a message. */
export function messagePosition(head: MessageHead): { readonly height: Height; readonly round: Round } {
  if (head.kind === 'proposal') return head.proposal
  if (head.kind === 'evidence') return head.evidence.first
  return head.kind === 'vote' ? head.vote : head
}

const HASH_BYTES = 32

/** Most transactions that fit into a block, given the intrinsic gas of each. */
export const blockTransactionsMax = (blockGasMax: number): number =>
  Math.min(LIMITS.blockTransactionsMax, Math.floor(blockGasMax / GAS.transaction))

/**
 * Largest size of a proposal whose block can be valid. Larger ones are refused before decoding: hashing an entry of the list costs more
 * than a microsecond.
 */
export const proposalBytesMax = (blockGasMax: number): number =>
  messageCodec.bytesMax - HASH_BYTES * (LIMITS.blockTransactionsMax - blockTransactionsMax(blockGasMax))

/** First byte of requests between engines. Other values belong to other protocols (block sync). */
export const ENGINE_REQUEST = 0x02

/** A request to one peer. */
export type BodyRequest =
  /** Transactions of a block that the peer may hold, or from its pool. The peer answers with those it has, in any order. */
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

/** Request kind, union tag, block hash, list length. */
const REQUEST_HEAD_BYTES_MAX = 1 + 1 + HASH_BYTES + 4

/** Encodes a request, with `ENGINE_REQUEST` as its first byte. */
export function encodeRequest(request: BodyRequest): Uint8Array {
  const body = codec.encode(requestCodec, request)
  const out = new Uint8Array(1 + body.length)
  out[0] = ENGINE_REQUEST
  out.set(body, 1)
  return out
}

/** Decodes a peer's request. Refuses lists of more transactions than a block can have. */
export function decodeRequest(bytes: Uint8Array, blockGasMax: number): Result<BodyRequest, codec.DecodeError> {
  if (bytes[0] !== ENGINE_REQUEST) return err({ code: 'malformed', message: `request has unknown kind ${bytes[0]}` })
  const countMax = blockTransactionsMax(blockGasMax)
  if (bytes.length > REQUEST_HEAD_BYTES_MAX + HASH_BYTES * countMax)
    return err({
      code: 'malformed',
      message: `request of ${bytes.length} bytes is too large: a block has at most ${countMax} transactions`,
    })
  return codec.decode(requestCodec, bytes.subarray(1))
}

/** Encodes the answer to a request for transactions. */
export const encodeTransactions = (raws: readonly Uint8Array[]): Uint8Array => codec.encode(bodyCodec, raws)
/** Decodes at most `countMax` transactions; a longer list is refused before its content is read. */
export const decodeTransactions = (bytes: Uint8Array, countMax: number): Result<readonly Uint8Array[], codec.DecodeError> =>
  codec.decode(bodyCodecOf(countMax), bytes)

/** Encodes the answer to a request for a block. */
export const encodeBlock = (block: RawBlock): Uint8Array => codec.encode(rawBlockCodec, block)
/** Decodes a block of a height with this gas limit. A longer transaction list is refused before its content is read. */
export const decodeBlock = (bytes: Uint8Array, blockGasMax: number): Result<RawBlock, codec.DecodeError> =>
  codec.decode(rawBlockCodecOf(blockTransactionsMax(blockGasMax)), bytes)

/** Largest total size of transactions in one answer, in bytes. */
export const RESPONSE_BYTES_MAX = LIMITS.blockBytesMax
