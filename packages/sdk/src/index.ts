export { type QuoinActions, quoinActions } from './actions.ts'
export { type FetchChainOptions, fetchChain } from './chain/fetch-chain.ts'
export {
  type ClusterOptions,
  type ClusterSubscription,
  type ClusterTransport,
  type ClusterValue,
  cluster,
  type NodeOptions,
} from './cluster/cluster.ts'
export {
  type Ask,
  type Discovery,
  type DiscoveryHost,
  type DiscoveryOptions,
  type DiscoveryProblem,
  type DiscoveryStatus,
  discovery,
  type RunningDiscovery,
} from './cluster/discovery.ts'
export type { NodeStatus } from './cluster/node-state.ts'
export type { Strategy } from './cluster/strategy.ts'
export {
  BehindError,
  ConnectionError,
  type ConnectionProblem,
  type NodeFailure,
  NodesFailedError,
  NotThroughClusterError,
  QuoinError,
  type QuoinErrorOptions,
  type RefusalDetails,
  refusalOf,
  WrongChainError,
} from './errors.ts'
export { REFUSAL_REASONS, type RefusalReason, type RefusalScope } from './refusals.ts'
export type { WebSocketClass, WebSocketLike } from './rpc/web-socket.ts'
export type { SendStatus, SendUpdate } from './sends/entry.ts'
export {
  NonceTakenError,
  SendCancelledError,
  SendError,
  SendExpiredError,
  SendIdConflictError,
  SendQueueFullError,
  type SendReason,
  SendRefusedError,
  SendRevertedError,
  SendStoreError,
  SendsClosedError,
} from './sends/errors.ts'
export type { Send } from './sends/send.ts'
export {
  SEND_DEFAULTS,
  type SendSettings,
  type SendTransactionParameters,
  type TrackedSends,
  type TrackedSendsOptions,
  trackedSends,
  type WriteContractParameters,
} from './sends/tracked-sends.ts'
export {
  type StreamContractStateParameters,
  streamContractState,
} from './state/stream-contract-state.ts'
export {
  type ReadAt,
  type WatchReadContractParameters,
  watchReadContract,
} from './state/watch-read-contract.ts'
export { StoreError, type StoreReason } from './store/error.ts'
export { memoryStore } from './store/memory.ts'
export type { Change, CommitOptions, Entry, ListOptions, OwnOptions, Store } from './store/store.ts'
export {
  type StreamReceiptsParameters,
  type StreamTransactionsParameters,
  streamBlocks,
  streamContractEvents,
  streamLogs,
  streamReceipts,
  streamTransactions,
} from './streams/actions.ts'
export type { BufferOptions, WhenFull } from './streams/buffer.ts'
export type { CursorStore } from './streams/cursor-store.ts'
export { CursorUnknownError, InvalidCursorError, StreamOverflowError } from './streams/errors.ts'
export type {
  EventFilter,
  LogFilter,
  StreamedBlock,
  StreamedEvent,
  StreamedLog,
  StreamedTransaction,
} from './streams/kinds.ts'
export { merge } from './streams/merge.ts'
export type { StreamHead } from './streams/segment.ts'
export type { OnUnknownCursor, StreamFrom } from './streams/source.ts'
export { storedCursor } from './streams/stored-cursor.ts'
export { type BatchOptions, Stream, type StreamBatch, type StreamOptions } from './streams/stream.ts'
