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
 * Everything that can change a driver. The caller has verified every signature in it (`verify.ts`) and logs the input before it acts on
 * the effects; the same inputs in the same order give the same effects.
 */
export type DriverInput =
  /**
   * Begins a height in round 0 and forgets the one before. `self` undefined, or not in the set, follows without voting. Legal at any time: a
   * block that came by sync ends a height too.
   */
  | {
      readonly kind: 'startHeight'
      readonly height: Height
      readonly validators: ValidatorSet
      readonly self: Address | undefined
    }
  /** Answer to `getValue`: the block built for this round. Ignored when the round has passed or a value was already given. */
  | { readonly kind: 'valueBuilt'; readonly height: Height; readonly round: Round; readonly valueId: Hash }
  /**
   * A signed proposal, our own included (after `propose` was signed). `polka` is the certificate that a re-proposal must carry: its round is
   * polRound, its value the proposal's; undefined for a fresh proposal.
   */
  | { readonly kind: 'proposal'; readonly proposal: Proposal; readonly polka: PolkaCertificate | undefined }
  /**
   * Answer to `validateValue` and `needValue`: the node has the value's body on disk and executed it. `valid`: whether it is a valid
   * block of this height; said once a value, later words are ignored. `fresh`: whether the checks that hold only for a fresh
   * proposal (timely, miner = the proposer's fee address, time) held for the proposal of `round`; ignored for a re-proposal.
   */
  | {
      readonly kind: 'valueValidated'
      readonly height: Height
      readonly round: Round
      readonly valueId: Hash
      readonly valid: boolean
      readonly fresh: boolean
    }
  /** A signed vote, our own included (after `vote` was signed). Any round of the height. */
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'polkaCertificate'; readonly certificate: PolkaCertificate }
  | { readonly kind: 'roundCertificate'; readonly certificate: RoundCertificate }
  | { readonly kind: 'commitCertificate'; readonly certificate: CommitCertificate }
  | { readonly kind: 'timeout'; readonly timeout: TimeoutKind; readonly height: Height; readonly round: Round }
