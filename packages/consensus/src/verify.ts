import {
  type Address,
  type CommitCertificate,
  type Crypto,
  commitVotes,
  compressedKey,
  err,
  ok,
  type PolkaCertificate,
  type Proposal,
  polkaVotes,
  proposalDigest,
  type Result,
  type RoundCertificate,
  roundVotes,
  type SigningDomain,
  type ValidatorSet,
  type Vote,
  voteDigest,
} from '@quoin/protocol'
import { addPower, isHonest, isQuorum } from './quorum.ts'

/** Why signed content is refused; each is proof that whoever sent it lies or errs. */
export type VerifyError =
  | { readonly code: 'unknown-validator'; readonly validator: Address }
  | { readonly code: 'duplicate'; readonly validator: Address }
  | { readonly code: 'signature'; readonly validator: Address }
  /** The signers' power, and the total it was held against. */
  | { readonly code: 'power'; readonly power: number; readonly total: number }
  /** A round certificate whose votes do not fit its reason. */
  | { readonly code: 'reason' }

/**
 * Votes that are known to be well signed, by a cache of the caller's. Asked for complete votes, signature included: a cache that
 * compared less would let a forged signature into a certificate.
 */
export type IsVerified = (vote: Vote) => boolean

const none: IsVerified = () => false

/** Membership and signature of a vote. */
export function verifyVote(crypto: Crypto, domain: SigningDomain, set: ValidatorSet, vote: Vote): Result<undefined, VerifyError> {
  const validator = set.get(vote.validator)
  if (validator === undefined) return err({ code: 'unknown-validator', validator: vote.validator })
  return crypto.verify(voteDigest(crypto, domain, vote), vote.signature, compressedKey(validator.publicKey))
    ? ok(undefined)
    : err({ code: 'signature', validator: vote.validator })
}

/** Membership and signature of a proposal. Whether it is the proposer's turn is the driver's question. */
export function verifyProposal(
  crypto: Crypto,
  domain: SigningDomain,
  set: ValidatorSet,
  proposal: Proposal,
): Result<undefined, VerifyError> {
  const validator = set.get(proposal.proposer)
  if (validator === undefined) return err({ code: 'unknown-validator', validator: proposal.proposer })
  return crypto.verify(proposalDigest(crypto, domain, proposal), proposal.signature, compressedKey(validator.publicKey))
    ? ok(undefined)
    : err({ code: 'signature', validator: proposal.proposer })
}

/** Precommits of 2f+1 for the block. The caller has checked that height and set belong together. */
export const verifyCommitCertificate = (
  crypto: Crypto,
  domain: SigningDomain,
  set: ValidatorSet,
  certificate: CommitCertificate,
  isVerified: IsVerified = none,
): Result<undefined, VerifyError> => verifyVotes(crypto, domain, set, commitVotes(certificate), isQuorum, isVerified)

/** Prevotes of 2f+1 for the value. */
export const verifyPolkaCertificate = (
  crypto: Crypto,
  domain: SigningDomain,
  set: ValidatorSet,
  certificate: PolkaCertificate,
  isVerified: IsVerified = none,
): Result<undefined, VerifyError> => verifyVotes(crypto, domain, set, polkaVotes(certificate), isQuorum, isVerified)

/** Precommits of 2f+1 in the round before (L47), or votes of f+1 in this one (L55). */
export function verifyRoundCertificate(
  crypto: Crypto,
  domain: SigningDomain,
  set: ValidatorSet,
  certificate: RoundCertificate,
  isVerified: IsVerified = none,
): Result<undefined, VerifyError> {
  const { reason, round, votes } = certificate
  if (round === 0) return err({ code: 'reason' })
  if (reason === 'precommit-any' && votes.some(({ kind }) => kind !== 'precommit')) return err({ code: 'reason' })
  return verifyVotes(crypto, domain, set, roundVotes(certificate), reason === 'skip' ? isHonest : isQuorum, isVerified)
}

/** The cheap questions first: who, how much, and only then the signatures. */
function verifyVotes(
  crypto: Crypto,
  domain: SigningDomain,
  set: ValidatorSet,
  votes: readonly Vote[],
  isEnough: (power: number, total: number) => boolean,
  isVerified: IsVerified,
): Result<undefined, VerifyError> {
  const seen = new Set<string>()
  const signers = new Set<Address>()
  let power = 0
  for (const { validator, kind } of votes) {
    const member = set.get(validator)
    if (member === undefined) return err({ code: 'unknown-validator', validator })
    if (seen.has(validator + kind)) return err({ code: 'duplicate', validator })
    seen.add(validator + kind)
    if (signers.has(validator)) continue // a prevote and a precommit of one validator in a skip: its power counts once
    signers.add(validator)
    power = addPower(power, member.power)
  }
  if (!isEnough(power, set.totalPower)) return err({ code: 'power', power, total: set.totalPower })
  for (const vote of votes) {
    if (isVerified(vote)) continue
    const result = verifyVote(crypto, domain, set, vote)
    if (!result.ok) return result
  }
  return ok(undefined)
}
