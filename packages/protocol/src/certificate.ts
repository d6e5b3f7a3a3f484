import type { Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'
import type { Height, Round } from './numbers.ts'
import { signature, type Vote, type VoteKind } from './vote.ts'

/** One validator's signature inside a certificate; the rest of its vote stands in the certificate. */
export interface CommitSignature {
  readonly validator: Address
  readonly signature: Uint8Array
}

/** Precommits of more than two thirds of the power for a block: the block is final. */
export interface CommitCertificate {
  readonly height: Height
  readonly round: Round
  readonly blockHash: Hash
  readonly signatures: readonly CommitSignature[]
}

/** Prevotes of more than two thirds of the power for a value: a proof of lock. */
export interface PolkaCertificate {
  readonly height: Height
  readonly round: Round
  readonly valueId: Hash
  readonly signatures: readonly CommitSignature[]
}

/**
 * Why a node is in a round: precommits of more than two thirds for anything in the round before (L47), or votes of any kind of more than
 * one third in this round (L55). Brings a stalled node forward.
 */
export interface RoundCertificate {
  readonly height: Height
  readonly round: Round
  readonly reason: 'precommit-any' | 'skip'
  readonly votes: readonly RoundVote[]
}

export interface RoundVote {
  readonly kind: VoteKind
  readonly valueId: Hash | undefined
  readonly validator: Address
  readonly signature: Uint8Array
}

const commitSignature = codec.struct({ validator: codec.address, signature })

/** Sorted by validator, each once, at least one: a certificate has one encoding. */
const signatures = codec.checked(codec.list(commitSignature, LIMITS.validatorsMax), sortedProblem)

function sortedProblem(entries: readonly { readonly validator: Address }[]): string | undefined {
  if (entries.length === 0) return 'a certificate without signatures'
  for (let i = 1; i < entries.length; i++) {
    if (entries[i - 1]!.validator >= entries[i]!.validator) return 'signatures are not sorted by validator, each once'
  }
  return undefined
}

export const commitCertificateCodec: codec.Codec<CommitCertificate> = codec.struct({
  height: codec.u64<Height>(),
  round: codec.u32<Round>(),
  blockHash: codec.hash,
  signatures,
})

export const polkaCertificateCodec: codec.Codec<PolkaCertificate> = codec.struct({
  height: codec.u64<Height>(),
  round: codec.u32<Round>(),
  valueId: codec.hash,
  signatures,
})

const roundVote = codec.struct({
  kind: codec.eitherOf('prevote', 'precommit'),
  valueId: codec.optional(codec.hash),
  validator: codec.address,
  signature,
})

/** A validator may stand in it twice, with a prevote and a precommit; no pair (validator, kind) repeats. Round 0 needs no reason. */
export const roundCertificateCodec: codec.Codec<RoundCertificate> = codec.struct({
  height: codec.u64<Height>(),
  round: codec.checked(codec.u32<Round>(), (round) => (round === 0 ? 'a round certificate of round 0' : undefined)),
  reason: codec.eitherOf('precommit-any', 'skip'),
  votes: codec.checked(codec.list(roundVote, 2 * LIMITS.validatorsMax), (votes) => {
    for (let i = 1; i < votes.length; i++) {
      if (roundVoteKey(votes[i - 1]!) >= roundVoteKey(votes[i]!)) return 'votes are not sorted by validator and kind, each once'
    }
    return votes.length === 0 ? 'a certificate without votes' : undefined
  }),
})

export const roundVoteKey = (vote: Pick<RoundVote, 'validator' | 'kind'>): string =>
  `${vote.validator}${vote.kind === 'prevote' ? 0 : 1}`

/** The full votes that a certificate stands for. */
export const commitVotes = (certificate: CommitCertificate): readonly Vote[] =>
  certificate.signatures.map((entry) => ({
    kind: 'precommit',
    height: certificate.height,
    round: certificate.round,
    valueId: certificate.blockHash,
    ...entry,
  }))

export const polkaVotes = (certificate: PolkaCertificate): readonly Vote[] =>
  certificate.signatures.map((entry) => ({
    kind: 'prevote',
    height: certificate.height,
    round: certificate.round,
    valueId: certificate.valueId,
    ...entry,
  }))

export function roundVotes(certificate: RoundCertificate): readonly Vote[] {
  const { height, reason } = certificate
  const round = (reason === 'precommit-any' ? certificate.round - 1 : certificate.round) as Round
  return certificate.votes.map((entry) => ({ height, round, ...entry }))
}
