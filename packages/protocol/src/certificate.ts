import type { Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'
import type { Height, Round } from './numbers.ts'
import { signature, type Vote, type VoteKind } from './vote.ts'

/** A validator's signature in a certificate. The other fields of its vote are those of the certificate. */
export interface CommitSignature {
  readonly validator: Address
  readonly signature: Uint8Array
}

/**
 * Precommits for a block by more than two thirds of the power: proof that the block is final. Decoding does not verify signatures and power;
 * `verifyCommitCertificate` of `@quoin/consensus` does.
 */
export interface CommitCertificate {
  readonly height: Height
  readonly round: Round
  readonly blockHash: Hash
  readonly signatures: readonly CommitSignature[]
}

/** Prevotes for a block by more than two thirds of the power: a proof of lock. `valueId` is the block hash. */
export interface PolkaCertificate {
  readonly height: Height
  readonly round: Round
  readonly valueId: Hash
  readonly signatures: readonly CommitSignature[]
}

/**
 * Proof that nodes have entered a round (lines of arXiv:1807.04938, Algorithm 1): with the reason `precommit-any`, precommits for any values by
 * more than two thirds of the power in the previous round (L47); with the reason `skip`, votes of any kind by more than one third of the power in
 * this round (L55). It lets a node that fell behind enter the round.
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

/** At least one, sorted by validator, without duplicates, so that a certificate has one encoding. */
const signatures = codec.checked(codec.list(commitSignature, LIMITS.validatorsMax), sortedProblem)

function sortedProblem(entries: readonly { readonly validator: Address }[]): string | undefined {
  if (entries.length === 0) return 'the certificate has no signatures'
  for (let i = 1; i < entries.length; i++) {
    if (entries[i - 1]!.validator >= entries[i]!.validator) return 'signatures must be sorted by validator, without duplicates'
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

/**
 * A validator may have two votes, a prevote and a precommit. Votes are sorted by `roundVoteKey`, without duplicates. There is no certificate for
 * round 0, in which every node begins.
 */
export const roundCertificateCodec: codec.Codec<RoundCertificate> = codec.struct({
  height: codec.u64<Height>(),
  round: codec.checked(codec.u32<Round>(), (round) => (round === 0 ? 'a round certificate must not be of round 0' : undefined)),
  reason: codec.eitherOf('precommit-any', 'skip'),
  votes: codec.checked(codec.list(roundVote, 2 * LIMITS.validatorsMax), (votes) => {
    for (let i = 1; i < votes.length; i++) {
      if (roundVoteKey(votes[i - 1]!) >= roundVoteKey(votes[i]!))
        return 'votes must be sorted by validator and kind, without duplicates'
    }
    return votes.length === 0 ? 'the certificate has no votes' : undefined
  }),
})

/** Sort key of a vote in a round certificate: the validator, then prevote before precommit. */
export const roundVoteKey = (vote: Pick<RoundVote, 'validator' | 'kind'>): string =>
  `${vote.validator}${vote.kind === 'prevote' ? 0 : 1}`

/** The precommits of a commit certificate as full votes. */
export const commitVotes = (certificate: CommitCertificate): readonly Vote[] =>
  certificate.signatures.map((entry) => ({
    kind: 'precommit',
    height: certificate.height,
    round: certificate.round,
    valueId: certificate.blockHash,
    ...entry,
  }))

/** The prevotes of a polka certificate as full votes. */
export const polkaVotes = (certificate: PolkaCertificate): readonly Vote[] =>
  certificate.signatures.map((entry) => ({
    kind: 'prevote',
    height: certificate.height,
    round: certificate.round,
    valueId: certificate.valueId,
    ...entry,
  }))

/** The votes of a round certificate as full votes. For the reason `precommit-any` they are of the previous round. */
export function roundVotes(certificate: RoundCertificate): readonly Vote[] {
  const { height, reason } = certificate
  const round = (reason === 'precommit-any' ? certificate.round - 1 : certificate.round) as Round
  return certificate.votes.map((entry) => ({ height, round, ...entry }))
}
