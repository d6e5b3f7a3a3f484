import type { Hash, Height, Round } from '@quoin/protocol'

/** Where a validator stands within a round; `unstarted` lies between two rounds, `commit` is final for the height. */
export type Step = 'unstarted' | 'propose' | 'prevote' | 'precommit' | 'commit'

/** A value and the round that it is tied to. */
export interface RoundValue<V extends string = Hash> {
  readonly valueId: V
  readonly round: Round
}

/**
 * The paper's variables of one height. `V` is the type of a value's id (a block hash), which the machine only compares.
 * Each is undefined where the paper writes -1 and nil.
 */
export interface State<V extends string = Hash> {
  readonly height: Height
  /** round_p. While `unstarted`: the round just left, and 0 before the first. */
  readonly round: Round
  readonly step: Step
  /** lockedValue_p, lockedRound_p: what this validator last precommitted; it prevotes nothing else without a later proof of lock. */
  readonly locked: RoundValue<V> | undefined
  /** validValue_p, validRound_p: the latest value seen with a polka; what this validator proposes again. */
  readonly valid: RoundValue<V> | undefined
  /** decision_p[h_p], with the round of its precommits. */
  readonly decision: RoundValue<V> | undefined
}

export const initialState = <V extends string = Hash>(height: Height): State<V> => ({
  height,
  round: 0 as Round,
  step: 'unstarted',
  locked: undefined,
  valid: undefined,
  decision: undefined,
})
