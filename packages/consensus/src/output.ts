import type { Hash, Round, VoteKind } from '@quoin/protocol'
import type { TimeoutKind } from './timeouts.ts'

/** Output of a transition, for the height of the state. Lines are those of arXiv:1807.04938, Algorithm 1. */
export type Output<V extends string = Hash> =
  /** L18: a value to propose in `round` is needed. */
  | { readonly kind: 'getValue'; readonly round: Round }
  /** L19: propose a value. `polRound` is validRound_p; undefined for a fresh value. */
  | { readonly kind: 'propose'; readonly round: Round; readonly valueId: V; readonly polRound: Round | undefined }
  /** Cast a vote; `valueId` is undefined for nil. */
  | { readonly kind: 'vote'; readonly vote: VoteKind; readonly round: Round; readonly valueId: V | undefined }
  | { readonly kind: 'scheduleTimeout'; readonly timeout: TimeoutKind; readonly round: Round }
  /** L56, L67: enter `round`. The driver answers with the input `newRound`. */
  | { readonly kind: 'enterRound'; readonly round: Round }
  /** L51: decide. `round` is the round of the precommits. */
  | { readonly kind: 'decide'; readonly round: Round; readonly valueId: V }
