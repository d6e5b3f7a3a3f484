export type { CallFrame, CallRecorderOptions, FrameEnd, FrameLog } from './call-frame.ts'
export { TRACE_LIMITS } from './limits.ts'
export type { Replay, ReplayReceipt } from './replay.ts'
export {
  type CallTraceRequest,
  runTrace,
  type Trace,
  type Traced,
  type TraceOutcome,
  type TraceRequest,
  type Tracer,
  type TransactionsTraceRequest,
} from './trace.ts'
export type { AccountState, UsedAccountState, UsedStateOptions, UsedStorageEntry } from './used-state.ts'
