export { commitCertificate, polkaCertificate, roundCertificate } from './certificate-keeper.ts'
export { Driver, type ProposerSelection } from './driver.ts'
export type { DriverInput } from './driver-input.ts'
export type { Effect, Outcome, Refusal } from './effect.ts'
export type { Rebroadcast } from './height-driver.ts'
export type { Input } from './input.ts'
export { CONSENSUS_LIMITS } from './limits.ts'
export type { Output } from './output.ts'
export { selectProposer } from './proposer.ts'
export { addPower, isHonest, isQuorum } from './quorum.ts'
export { initialState, type RoundValue, type State, type Step } from './state.ts'
export { DEFAULT_TIMEOUTS, type TimeoutKind, type TimeoutParameters, timeoutMs } from './timeouts.ts'
export { apply, type Info, type Transition } from './transition.ts'
export {
  type IsVerified,
  type VerifyError,
  verifyCommitCertificate,
  verifyPolkaCertificate,
  verifyProposal,
  verifyRoundCertificate,
  verifyVote,
} from './verify.ts'
export { type Threshold, type VoteAdded, VoteKeeper, type VoteRefusal } from './vote-keeper.ts'
