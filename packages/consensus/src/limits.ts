/** Limits of what a driver keeps. With them, its memory depends only on the size of the validator set, whatever peers send. */
export const CONSENSUS_LIMITS = {
  /**
   * Number of rounds above the current one for which a validator's votes are kept, and for which a proposer's proposals are kept. The highest rounds
   * are kept: honest validators that are ahead overlap in their newest rounds, so a node that was offline finds f+1 of them in one round (L55).
   */
  futureRoundsPerValidatorMax: 4,
  /**
   * A single vote or proposal more rounds ahead than this is refused, because a validator could sign one for every round at no cost. A node that is
   * further behind catches up by a certificate, which takes more than a third of the power.
   */
  roundsAheadMax: 64,
  /** Number of rounds below the current one for which votes and proposals are kept. Older locks and decisions still arrive as certificates. */
  pastRoundsMax: 64,
  /** Distinct signed proposals kept for a round. Two prove the equivocation of a proposer; a third adds nothing. */
  proposalsPerRoundMax: 2,
} as const
