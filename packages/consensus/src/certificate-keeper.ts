import type {
  Address,
  CommitCertificate,
  CommitSignature,
  Hash,
  Height,
  PolkaCertificate,
  Round,
  RoundCertificate,
  RoundVote,
  Vote,
} from '@quoin/protocol'
import { roundVoteKey } from '@quoin/protocol'
import { CONSENSUS_LIMITS } from './limits.ts'

/**
 * Verified certificates of one height, kept separately from the votes. If a validator votes twice, the vote keeper counts only the vote that arrived
 * first at this node. The validator must not be able to break in this way a quorum that others have seen.
 */
export class CertificateKeeper {
  readonly #polkas = new Map<Round, PolkaCertificate>()
  readonly #commits = new Map<Round, CommitCertificate>()

  /** Returns false if a polka of this round is known. There can be two only if more than a third of the power votes twice. */
  addPolka(certificate: PolkaCertificate): boolean {
    if (this.#polkas.has(certificate.round)) return false
    this.#polkas.set(certificate.round, certificate)
    return true
  }

  /** Returns false if a commit of this round is known. */
  addCommit(certificate: CommitCertificate): boolean {
    if (this.#commits.has(certificate.round)) return false
    this.#commits.set(certificate.round, certificate)
    return true
  }

  polka(round: Round): PolkaCertificate | undefined {
    return this.#polkas.get(round)
  }

  commit(round: Round): CommitCertificate | undefined {
    return this.#commits.get(round)
  }

  /**
   * Removes polkas of rounds more than `pastRoundsMax` below `current`, except that of the round `kept`. Each polka is a real quorum, so there is at
   * most one for each round.
   */
  prune(current: Round, kept: Round | undefined): void {
    for (const round of this.#polkas.keys()) {
      if (round < current - CONSENSUS_LIMITS.pastRoundsMax && round !== kept) this.#polkas.delete(round)
    }
  }
}

/**
 * Makes a polka certificate of the prevotes for a value. Ignores prevotes for other values. Does not check that the power is sufficient.
 *
 * @param prevotes of this height and round, at most one of each validator.
 */
export const polkaCertificate = (height: Height, round: Round, valueId: Hash, prevotes: readonly Vote[]): PolkaCertificate => ({
  height,
  round,
  valueId,
  signatures: signaturesFor(valueId, prevotes),
})

/**
 * Makes a commit certificate of the precommits for a block. Ignores precommits for other blocks. Does not check that the power is sufficient.
 *
 * @param precommits of this height and round, at most one of each validator.
 */
export const commitCertificate = (
  height: Height,
  round: Round,
  blockHash: Hash,
  precommits: readonly Vote[],
): CommitCertificate => ({
  height,
  round,
  blockHash,
  signatures: signaturesFor(blockHash, precommits),
})

/**
 * Makes a round certificate. Takes the first vote of each validator, which is sufficient. Does not check the power.
 *
 * @param round the round that was entered.
 * @param votes for the reason `precommit-any`, the precommits of the previous round; for `skip`, the votes of this round.
 */
export function roundCertificate(
  height: Height,
  round: Round,
  reason: RoundCertificate['reason'],
  votes: readonly Vote[],
): RoundCertificate {
  const seen = new Set<Address>()
  const chosen: RoundVote[] = []
  for (const { kind, valueId, validator, signature } of votes) {
    if (seen.has(validator)) continue
    seen.add(validator)
    chosen.push({ kind, valueId, validator, signature })
  }
  return { height, round, reason, votes: chosen.toSorted((a, b) => (roundVoteKey(a) < roundVoteKey(b) ? -1 : 1)) }
}

function signaturesFor(valueId: Hash, votes: readonly Vote[]): readonly CommitSignature[] {
  return votes
    .filter((vote) => vote.valueId === valueId)
    .map(({ validator, signature }) => ({ validator, signature }))
    .toSorted((a, b) => (a.validator < b.validator ? -1 : 1))
}
