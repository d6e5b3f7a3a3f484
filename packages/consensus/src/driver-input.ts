import type {
  Address,
  CommitCertificate,
  Hash,
  Height,
  PolkaCertificate,
  Proposal,
  Round,
  RoundCertificate,
  ValidatorSet,
  Vote,
} from '@quoin/protocol'
import type { TimeoutKind } from './timeouts.ts'

/**
 * Input of a driver. The caller has verified every signature in it (`verifyVote` and others) and writes the input to its log before it carries out the
 * effects. The same inputs in the same order give the same effects.
 */
export type DriverInput =
  /**
   * Begins a height in round 0 and discards the one before. If `self` is undefined or not in the set, the node follows without voting. Allowed at any
   * time, because a height also ends when sync receives its block.
   */
  | {
      readonly kind: 'startHeight'
      readonly height: Height
      readonly validators: ValidatorSet
      readonly self: Address | undefined
    }
  /** Answer to the effect `getValue`: the block built for this round. Ignored if the round is over or a value was already given. */
  | { readonly kind: 'valueBuilt'; readonly height: Height; readonly round: Round; readonly valueId: Hash }
  /**
   * A signed proposal, also the own one after the effect `propose`. A re-proposal must come with its `polka`, a certificate of the round `polRound`
   * for the proposal's value. It is undefined for a fresh proposal.
   */
  | { readonly kind: 'proposal'; readonly proposal: Proposal; readonly polka: PolkaCertificate | undefined }
  /**
   * Answer to the effects `validateValue` and `needValue`. The node has the block's body on disk and has executed it.
   *
   * - `valid`: whether it is a valid block of this height. Only the first answer for a value counts.
   * - `fresh`: whether the proposal of `round` passed the checks that apply to fresh proposals only: timely, miner equal to the proposer's fee
   *   address, block time. Ignored for a re-proposal.
   */
  | {
      readonly kind: 'valueValidated'
      readonly height: Height
      readonly round: Round
      readonly valueId: Hash
      readonly valid: boolean
      readonly fresh: boolean
    }
  /** A signed vote of any round of the height, also the own one after the effect `vote`. */
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'polkaCertificate'; readonly certificate: PolkaCertificate }
  | { readonly kind: 'roundCertificate'; readonly certificate: RoundCertificate }
  | { readonly kind: 'commitCertificate'; readonly certificate: CommitCertificate }
  /** A timer of the effect `scheduleTimeout` expired. */
  | { readonly kind: 'timeout'; readonly timeout: TimeoutKind; readonly height: Height; readonly round: Round }
