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

/** What the driver asks of the node, in this order, after the input that caused it is on disk. */
export type Effect =
  /** A round began. Timers of this height's earlier rounds are void: clear them. */
  | { readonly kind: 'newRound'; readonly height: Height; readonly round: Round; readonly proposer: Address }
  /** L18: build a block; answer with `valueBuilt`. */
  | { readonly kind: 'getValue'; readonly height: Height; readonly round: Round }
  /**
   * L19: sign and broadcast, and give it back as the input `proposal`. A re-proposal (polRound defined) goes out with `polka`, and its value
   * byte for byte as it was first proposed.
   */
  | { readonly kind: 'propose'; readonly proposal: UnsignedProposal; readonly polka: PolkaCertificate | undefined }
  /** Sign and broadcast, and give it back as the input `vote`. */
  | { readonly kind: 'vote'; readonly vote: UnsignedVote }
  /** Start a timer of `timeoutMs(parameters, timeout, round)`; when it elapses, send the input `timeout`. At most once a kind and round. */
  | { readonly kind: 'scheduleTimeout'; readonly timeout: TimeoutKind; readonly height: Height; readonly round: Round }
  /**
   * A proposal was accepted whose value must be judged: get its body, execute it, answer with `valueValidated` for this round. `polRound`
   * undefined asks for the verdict `fresh` too. Not answered in time, the vote is nil by timeout.
   */
  | {
      readonly kind: 'validateValue'
      readonly height: Height
      readonly round: Round
      readonly valueId: Hash
      readonly polRound: Round | undefined
    }
  /**
   * 2f+1 voted for a value not judged here yet, and nothing can follow before it is: `prevote` wants it to lock (L36), `precommit` to
   * decide (L49). Its voters have the body. Answer with `valueValidated`; one answer serves a `validateValue` of the same value and
   * round too. Once a value and reason.
   */
  | {
      readonly kind: 'needValue'
      readonly height: Height
      readonly round: Round
      readonly valueId: Hash
      readonly reason: 'prevote' | 'precommit'
    }
  /** We precommitted on this polka in a round above 0: broadcast it, so that no one can hide our lock from the others. */
  | { readonly kind: 'publishPolkaCertificate'; readonly certificate: PolkaCertificate }
  /** L51: final. Nothing more happens in this height; the next begins with `startHeight`. */
  | {
      readonly kind: 'decide'
      readonly height: Height
      readonly round: Round
      readonly valueId: Hash
      readonly certificate: CommitCertificate
    }
  /** 2f+1 precommitted a value that this node found invalid: more than a third is faulty, or this node is. Stop with a dump. */
  | { readonly kind: 'invalidDecision'; readonly certificate: CommitCertificate }
  /** A validator contradicted itself. At most one of each kind (votes, proposals) a validator and height. */
  | { readonly kind: 'evidence'; readonly evidence: Evidence }

/** Why an input changed nothing, for peer scores: `ignore` may come from an honest peer, `reject` may not. */
export type Refusal =
  | {
      readonly verdict: 'ignore'
      readonly code: 'height' | 'decided' | 'duplicate' | 'old-round' | 'far-round' | 'equivocation' | 'late'
    }
  | { readonly verdict: 'reject'; readonly code: 'unknown-validator' | 'not-proposer' | 'polka-mismatch' }

/** Result of one input. A refused one may still have effects: an equivocation is evidence, a stale proposal may carry a new polka. */
export interface Outcome {
  readonly effects: readonly Effect[]
  readonly refusal: Refusal | undefined
}
