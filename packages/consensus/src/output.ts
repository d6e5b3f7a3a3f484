import type { Hash, Round, VoteKind } from '@quoin/protocol'
import type { TimeoutKind } from './timeouts.ts'

/** What a transition asks of the driver, always in the height of the state. */
export type Output<V extends string = Hash> =
  /** L18: a value to propose is wanted for `round`. */
  | { readonly kind: 'getValue'; readonly round: Round }
  /** L19. `polRound` is validRound_p, undefined for a fresh value. */
  | { readonly kind: 'propose'; readonly round: Round; readonly valueId: V; readonly polRound: Round | undefined }
  /** `valueId` undefined votes nil. */
  | { readonly kind: 'vote'; readonly vote: VoteKind; readonly round: Round; readonly valueId: V | undefined }
  | { readonly kind: 'scheduleTimeout'; readonly timeout: TimeoutKind; readonly round: Round }
  /** L56, L67: leave this round for `round`; answered with the input newRound. */
  | { readonly kind: 'enterRound'; readonly round: Round }
  /** L51: `round` is the round of the precommits. */
  | { readonly kind: 'decide'; readonly round: Round; readonly valueId: V }
