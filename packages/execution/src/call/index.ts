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
export type { AccountOverride, BlockOverrides, StateOverrides, StorageOverride } from './overrides.ts'
