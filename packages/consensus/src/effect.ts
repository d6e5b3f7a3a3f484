import type {
  Address,
  CommitCertificate,
  Evidence,
  Hash,
  Height,
  PolkaCertificate,
  Round,
  UnsignedProposal,
  UnsignedVote,
} from '@quoin/protocol'
import type { TimeoutKind } from './timeouts.ts'

/**
 * An action that the driver requests of the node. The node carries out effects in order, after the input that caused them is on disk. Lines (L18)
 * are those of arXiv:1807.04938, Algorithm 1.
 */
export type Effect =
  /** A round began. Cancel the timers of earlier rounds of this height. */
  | { readonly kind: 'newRound'; readonly height: Height; readonly round: Round; readonly proposer: Address }
  /** L18: build a block and answer with the input `valueBuilt`. */
  | { readonly kind: 'getValue'; readonly height: Height; readonly round: Round }
  /**
   * L19: sign and broadcast the proposal, and pass it back as the input `proposal`. A re-proposal (`polRound` is defined) is sent with `polka`, and
   * with the same block, byte for byte, as when it was first proposed.
   */
  | { readonly kind: 'propose'; readonly proposal: UnsignedProposal; readonly polka: PolkaCertificate | undefined }
  /** Sign and broadcast the vote, and pass it back as the input `vote`. */
  | { readonly kind: 'vote'; readonly vote: UnsignedVote }
  /**
   * Start a timer of `timeoutMs(parameters, timeout, round)` milliseconds. When it expires, pass the input `timeout`. At most one of each kind in a
   * round.
   */
  | { readonly kind: 'scheduleTimeout'; readonly timeout: TimeoutKind; readonly height: Height; readonly round: Round }
  /**
   * The driver accepted a proposal and needs to know whether its block is valid. Get the body, execute it, and answer with the input
   * `valueValidated` for this round. If `polRound` is undefined, the verdict `fresh` is needed too. Without an answer in time, the propose timeout
   * leads to a vote for nil.
   */
  | {
      readonly kind: 'validateValue'
      readonly height: Height
      readonly round: Round
      readonly valueId: Hash
      readonly polRound: Round | undefined
    }
  /**
   * 2f+1 voted for a block for which this node has no verdict yet. The verdict is needed to lock on it (L36, reason `prevote`) or to decide it
   * (L49, reason `precommit`). The validators that voted for it have the body. Answer with the input `valueValidated`; the answer also serves a
   * `validateValue` of the same value and round. At most once for each value and reason.
   */
  | {
      readonly kind: 'needValue'
      readonly height: Height
      readonly round: Round
      readonly valueId: Hash
      readonly reason: 'prevote' | 'precommit'
    }
  /** Broadcast the polka on which this node precommitted in a round above 0, so that a Byzantine validator cannot hide the lock from others. */
  | { readonly kind: 'publishPolkaCertificate'; readonly certificate: PolkaCertificate }
  /** L51: the block is final. The driver ignores further inputs of this height. Begin the next with `startHeight`. */
  | {
      readonly kind: 'decide'
      readonly height: Height
      readonly round: Round
      readonly valueId: Hash
      readonly certificate: CommitCertificate
    }
  /**
   * 2f+1 precommitted a block that this node found invalid. Either more than a third of the power is faulty, or this node is. Stop the node and save
   * its state for analysis.
   */
  | { readonly kind: 'invalidDecision'; readonly certificate: CommitCertificate }
  /** A validator signed two contradicting messages. At most one of each kind (votes, proposals) for a validator in a height. */
  | { readonly kind: 'evidence'; readonly evidence: Evidence }

/** Why an input was not accepted, for peer scores. An honest peer may send an input with the verdict `ignore`, but never one with `reject`. */
export type Refusal =
  | {
      readonly verdict: 'ignore'
      readonly code: 'height' | 'decided' | 'duplicate' | 'old-round' | 'far-round' | 'equivocation' | 'late'
    }
  | { readonly verdict: 'reject'; readonly code: 'unknown-validator' | 'not-proposer' | 'polka-mismatch' }

/** Result of one input. A refused input can have effects too: an equivocation is evidence, and an old proposal can have a new polka. */
export interface Outcome {
  readonly effects: readonly Effect[]
  readonly refusal: Refusal | undefined
}
