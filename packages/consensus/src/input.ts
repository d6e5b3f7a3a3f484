import type { Hash, Round } from '@quoin/protocol'

/**
 * Inputs of the state machine. Each is a complete condition of the paper, named by its line: whoever sends one has already found
 * the proposal, the votes and the validity that the line asks for. The round that the condition speaks of stands in `Info`.
 */
export type Input<V extends string = Hash> =
  /** L11: begin `Info.round`. */
  | { readonly kind: 'newRound' }
  /** L18: the value that getValue() returned. */
  | { readonly kind: 'proposeValue'; readonly valueId: V }
  /** L22: fresh proposal (no proof-of-lock round) of a valid value. */
  | { readonly kind: 'proposal'; readonly valueId: V }
  /** L22 with L26: proposal of a value that is invalid, or not acceptable as a fresh one. */
  | { readonly kind: 'invalidProposal' }
  /** L28: re-proposal of a valid value, and 2f+1 prevotes for it in `polRound`. */
  | { readonly kind: 'proposalAndPolkaPrevious'; readonly valueId: V; readonly polRound: Round }
  /** L28 with L32: the same of an invalid value. */
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
  /** L55: f+1 of the power has voted in `Info.round`, a later round. */
  | { readonly kind: 'skipRound' }
  /** L57 */
  | { readonly kind: 'timeoutPropose' }
  /** L61 */
  | { readonly kind: 'timeoutPrevote' }
  /** L65 */
  | { readonly kind: 'timeoutPrecommit' }
