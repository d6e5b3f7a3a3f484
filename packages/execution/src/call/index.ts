export { type BlockCalls, type SimulatedCall } from './block-plan.ts'
export {
  type Call,
  type CallHost,
  type CallHostOptions,
  type CallOutcome,
  type CallRefusal,
  type CallRequest,
  type CallResult,
  createCallHost,
  runCall,
} from './call.ts'
export { type EstimateOutcome, estimateGas } from './estimate.ts'
export { CALL_LIMITS } from './limits.ts'
export {
  type AccountOverride,
  type BlockOverrides,
  type OverrideRefusal,
  type PreparedOverrides,
  prepareOverrides,
  type StateOverrides,
  type StorageOverride,
} from './overrides.ts'
export {
  ANSWER_TOO_LONG,
  type SimulatedBlock,
  type SimulatedResult,
  type SimulatedTransaction,
} from './simulated-block.ts'
export { type SimulationOutcome, type SimulationRefusal, type SimulationRequest, simulate } from './simulation.ts'
export { NATIVE_CURRENCY } from './transfer-log.ts'
