export * from './account-proof.ts'
export { type BlockRules, blockRules } from './block/block.ts'
export * from './block/fees.ts'
export { Heap } from './block/heap.ts'
export { GAS, intrinsicGas } from './block/intrinsic-gas.ts'
export { LANE } from './block/lane.ts'
export { type Sending, sendingRules, UNJUDGED } from './block/sending.ts'
export {
  chargedPolicy,
  checkAccount,
  checkRules,
  gasDetail,
  runMessage,
  type TransactionFailure,
  type TransactionMessage,
  type TransactionRules,
  type TransactionRun,
} from './block/transaction.ts'
export { askedGas, Turns } from './block/turns.ts'
export * from './call/index.ts'
export { type ReportCall, reportCall, reportGas } from './contract/native/chain/report-call.ts'
export { decodeErrorString, encodeErrorString } from './error-data.ts'
export type * from './executor.ts'
export { InterpreterFault } from './fault.ts'
export { createExecutor, type ExecutorOptions } from './inline.ts'
export { EXECUTOR_LIMITS } from './limits.ts'
export { packOps, packQueues, packTransactions, unpackOps, unpackQueues, unpackTransactions } from './pack.ts'
export { type EntryPage, readEntryPage } from './state/entry-pages.ts'
export { type EvidenceStanding, evidenceOfKey, evidenceStanding, flaggedValidators } from './state/evidence-standing.ts'
export { createdAccounts, type HistoryKv, isCreatedAt, PastState, stateAt } from './state/history.ts'
export * from './state/keys.ts'
export type { KvOp, KvReader } from './state/kv.ts'
export { nextValidatorSet, SMALL_SET_COUNT_MAX } from './state/next-validators.ts'
export * from './state/system-entries.ts'
export * from './state/system-records.ts'
export * from './state/tree/index.ts'
export * from './trace/index.ts'
export { executionVersion } from './version.ts'
