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
