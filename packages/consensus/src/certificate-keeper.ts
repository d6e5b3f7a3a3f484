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
 * Verified certificates of one height, apart from the votes: a validator that voted twice is counted once by the vote keeper, with the vote
 * that came first here, and must not be able to spoil a quorum that others have seen.
 */
export class CertificateKeeper {
  readonly #polkas = new Map<Round, PolkaCertificate>()
  readonly #commits = new Map<Round, CommitCertificate>()

  /** False when this round's is known: two of one round need more than a third of the power to vote twice. */
  addPolka(certificate: PolkaCertificate): boolean {
    if (this.#polkas.has(certificate.round)) return false
    this.#polkas.set(certificate.round, certificate)
    return true
  }

  addCommit(certificate: CommitCertificate): boolean {
    if (this.#commits.has(certificate.round)) return false
    this.#commits.set(certificate.round, certificate)
    return true
  }

  polka(round: Round): PolkaCertificate | undefined {
    return this.#polkas.get(round)
  }

  commits(): IterableIterator<CommitCertificate> {
    return this.#commits.values()
  }

  commit(round: Round): CommitCertificate | undefined {
    return this.#commits.get(round)
  }

  /** Forgets polkas too far below `current`, except that of `kept`. Each is a real quorum, so there are no more than rounds. */
  prune(current: Round, kept: Round | undefined): void {
    for (const round of this.#polkas.keys()) {
      if (round < current - CONSENSUS_LIMITS.pastRoundsMax && round !== kept) this.#polkas.delete(round)
    }
  }
}

/** The certificate in prevotes of one round for one value. */
export const polkaCertificate = (height: Height, round: Round, valueId: Hash, prevotes: readonly Vote[]): PolkaCertificate => ({
  height,
  round,
  valueId,
  signatures: signaturesFor(valueId, prevotes),
})

/** The certificate in precommits of one round for one value. */
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

/** Why a node is in `round`: the precommits of the round before, or the votes of this one (one a validator suffices). */
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
