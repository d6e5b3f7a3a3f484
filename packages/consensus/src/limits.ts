/** Bounds on what one driver keeps. Together they bound its memory by the size of the validator set, whatever peers send. */
export const CONSENSUS_LIMITS = {
  /**
   * Rounds above the current one of which a validator's votes, and of which a proposer's proposals, are kept. Its highest ones win: honest validators that went ahead then
   * overlap in their newest rounds, and a node that was away finds f+1 of them together (L55).
   */
  futureRoundsPerValidatorMax: 4,
  /**
   * A single vote or proposal of a round further ahead than this is refused: it would cost its signer nothing to sign for every round there is. Who is
   * that far behind comes there by a certificate, which more than a third of the power made.
   */
  roundsAheadMax: 64,
  /** Rounds below the current one whose votes and proposals are kept. Older locks and decisions still arrive as certificates. */
  pastRoundsMax: 64,
  /** Distinct signed proposals kept of one round: the two of an equivocating proposer prove the offence, a third adds nothing. */
  proposalsPerRoundMax: 2,
} as const
