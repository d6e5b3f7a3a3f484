import type { Hash, Height, Round } from '@quoin/protocol'

/** Step of a validator within a round. `unstarted` is the time between two rounds. `commit` is final for the height. */
export type Step = 'unstarted' | 'propose' | 'prevote' | 'precommit' | 'commit'

/** A value and a round. */
export interface RoundValue<V extends string = Hash> {
  readonly valueId: V
  readonly round: Round
}

/**
 * The variables of arXiv:1807.04938, Algorithm 1, for one height. A field is undefined where the paper has -1 or nil.
 *
 * @typeParam V the id of a value, a block hash. The state machine only compares ids.
 */
export interface State<V extends string = Hash> {
  readonly height: Height
  /** round_p. While `unstarted`, the round that was left, or 0 before the first. */
  readonly round: Round
  readonly step: Step
  /**
   * lockedValue_p, lockedRound_p: the value that this validator precommitted last. It prevotes no other value without a proof of lock that is not
   * older.
   */
  readonly locked: RoundValue<V> | undefined
  /** validValue_p, validRound_p: the latest value with a polka. This validator proposes it again. */
  readonly valid: RoundValue<V> | undefined
  /** decision_p[h_p], with the round of its precommits. */
  readonly decision: RoundValue<V> | undefined
}

/** The state before round 0 of a height. */
export const initialState = <V extends string = Hash>(height: Height): State<V> => ({
  height,
  round: 0 as Round,
  step: 'unstarted',
  locked: undefined,
  valid: undefined,
  decision: undefined,
})
