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

/** Why signed content is refused. An honest and correct peer never sends such content. */
export type VerifyError =
  | { readonly code: 'unknown-validator'; readonly validator: Address }
  | { readonly code: 'duplicate'; readonly validator: Address }
  | { readonly code: 'signature'; readonly validator: Address }
  /** The power of the signers is too low, compared to the total power. */
  | { readonly code: 'power'; readonly power: number; readonly total: number }
  /** A round certificate of round 0, or with votes that do not fit its reason. */
  | { readonly code: 'reason' }

/**
 * Looks up in a cache of the caller whether the signature of a vote was verified before. The cache must compare complete votes with their
 * signatures. Otherwise a forged signature could become part of a certificate.
 */
export type IsVerified = (vote: Vote) => boolean

const none: IsVerified = () => false

/** Checks that the validator of a vote is in the set and has signed it. */
export function verifyVote(crypto: Crypto, domain: SigningDomain, set: ValidatorSet, vote: Vote): Result<undefined, VerifyError> {
  const validator = set.get(vote.validator)
  if (validator === undefined) return err({ code: 'unknown-validator', validator: vote.validator })
  return crypto.verify(voteDigest(crypto, domain, vote), vote.signature, compressedKey(validator.publicKey))
    ? ok(undefined)
    : err({ code: 'signature', validator: vote.validator })
}

/** Checks that the proposer of a proposal is in the set and has signed it. The driver checks that it is the proposer of the round. */
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

/**
 * Verifies that 2f+1 precommitted a block, which makes it final.
 *
 * @param set the validator set of the certificate's height. The caller is responsible for the match.
 * @param isVerified saves the verification of signatures that were verified before.
 * @returns the first error found. Membership, duplicates and power are checked before any signature.
 */
export const verifyCommitCertificate = (
  crypto: Crypto,
  domain: SigningDomain,
  set: ValidatorSet,
  certificate: CommitCertificate,
  isVerified: IsVerified = none,
): Result<undefined, VerifyError> => verifyVotes(crypto, domain, set, commitVotes(certificate), isQuorum, isVerified)

/** Verifies that 2f+1 prevoted a value in one round. Parameters and errors are those of `verifyCommitCertificate`. */
export const verifyPolkaCertificate = (
  crypto: Crypto,
  domain: SigningDomain,
  set: ValidatorSet,
  certificate: PolkaCertificate,
  isVerified: IsVerified = none,
): Result<undefined, VerifyError> => verifyVotes(crypto, domain, set, polkaVotes(certificate), isQuorum, isVerified)

/**
 * Verifies that nodes have entered a round: by precommits of 2f+1 in the previous round (L47), or by votes of f+1 in this round (L55). Parameters and
 * errors are those of `verifyCommitCertificate`.
 */
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

/** Makes the cheap checks first: membership, duplicates and power before signatures. */
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
    if (signers.has(validator)) continue // a skip may have a prevote and a precommit of one validator, whose power counts once
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
