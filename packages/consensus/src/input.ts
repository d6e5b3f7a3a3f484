import type { Hash, Round } from '@quoin/protocol'

/**
 * Inputs of the state machine. Each is a complete condition of arXiv:1807.04938, Algorithm 1, named by its line: the caller has already found the
 * proposal, the votes and the validity that the line requires. `Info.round` is the round of the condition.
 */
export type Input<V extends string = Hash> =
  /** L11: begin `Info.round`. */
  | { readonly kind: 'newRound' }
  /** L18: the value that getValue() returned. */
  | { readonly kind: 'proposeValue'; readonly valueId: V }
  /** L22: fresh proposal (without proof-of-lock round) of a valid value. */
  | { readonly kind: 'proposal'; readonly valueId: V }
  /** L22 with L26: fresh proposal of a value that is invalid or fails the checks of a fresh proposal. */
  | { readonly kind: 'invalidProposal' }
  /** L28: re-proposal of a valid value, and 2f+1 prevotes for it in `polRound`. */
  | { readonly kind: 'proposalAndPolkaPrevious'; readonly valueId: V; readonly polRound: Round }
  /** L28 with L32: the same for an invalid value. */
  | { readonly kind: 'invalidProposalAndPolkaPrevious'; readonly valueId: V; readonly polRound: Round }
  /** L34: 2f+1 prevotes for anything. */
  | { readonly kind: 'polkaAny' }
  /** L36: 2f+1 prevotes for a valid value. */
  | { readonly kind: 'proposalAndPolkaCurrent'; readonly valueId: V }
  /** L44: 2f+1 prevotes for nil. */
  | { readonly kind: 'polkaNil' }
  /** L47: 2f+1 precommits for anything. */
  | { readonly kind: 'precommitAny' }
  /** L49: 2f+1 precommits for a valid value, in any round. */
  | { readonly kind: 'proposalAndPrecommitValue'; readonly valueId: V }
  /** L55: f+1 voted in `Info.round`, a later round. */
  | { readonly kind: 'skipRound' }
  /** L57: the propose timer expired. */
  | { readonly kind: 'timeoutPropose' }
  /** L61: the prevote timer expired. */
  | { readonly kind: 'timeoutPrevote' }
  /** L65: the precommit timer expired. */
  | { readonly kind: 'timeoutPrecommit' }
