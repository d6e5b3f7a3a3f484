import { LIMITS, stateProofCodec } from '@quoin/protocol'

/** Limits of the RPC server. Times are in milliseconds. */
export interface RpcLimits {
  readonly bodyBytesMax: number
  readonly batchItemsMax: number
  /** Requests of one batch that run concurrently. Bounds the memory that their responses take. */
  readonly batchConcurrencyMax: number
  /** Size of the JSON responses of one batch, and of the logs in one response. */
  readonly responseBytesMax: number
  /** A text up to this length is parsed at once. A longer one is scanned first. */
  readonly parseAtOnceBytesMax: number
  /** Maximum nesting of the JSON of a long text. */
  readonly requestDepthMax: number
  /** Maximum number of JSON values in one request of a long text. */
  readonly requestValuesMax: number
  /** Size of one request. A batch may be larger. */
  readonly requestBytesMax: number
  /** Time slice: how long the work of all clients may block the event loop before sockets and timers are served. */
  readonly sliceMs: number
  /** How long the requests of one message may wait for the head to reach their `minHeight`, all of them together. */
  readonly behindMs: number
  /** A request whose `minHeight` is further above the head is refused at once. */
  readonly behindBlocksMax: number
  /** Timeout of a request. */
  readonly requestMs: number
  /** How long the rest of an oversized body is read and discarded before the connection is closed. */
  readonly drainMs: number
  /** Open connections of all addresses. */
  readonly connectionsMax: number
  /** Open connections of one address. */
  readonly connectionsPerRemoteMax: number
  /** Timeout for a client to send the headers of a request. */
  readonly headersMs: number
  /** Timeout for a client to send a whole request. */
  readonly receiveMs: number
  /** Idle timeout of a connection without a request. */
  readonly keepAliveMs: number
  /** A client that reads none of its pending bytes for this long is disconnected. */
  readonly sendMs: number
  /** Interval of WebSocket pings. A client that has not answered by the next ping is disconnected. */
  readonly pingMs: number
  /** Memory of all incoming requests and pending responses together. */
  readonly heldBytesMax: number
  /** Interval between checks of `heldBytesMax`. */
  readonly sweepMs: number
  /** Requests that run concurrently. Further ones wait. */
  readonly callsMax: number
  /** Requests of one address that run concurrently. */
  readonly callsPerRemoteMax: number
  /** Requests that each address may always run, regardless of other addresses. */
  readonly callsKept: number
  /** Requests of one connection that run concurrently. At the limit, nothing more is read from it. */
  readonly callsPerConnectionMax: number
  /** HTTP requests that a client may pipeline: send before it has received its first response. */
  readonly pipelinedMax: number
  /** Requests of one WebSocket that may wait beyond `callsPerConnectionMax`, because they had already been read. */
  readonly callsWaitingMax: number
  /** Subscriptions of one connection. */
  readonly subscriptionsPerConnectionMax: number
  /** Subscriptions of one address. */
  readonly subscriptionsPerRemoteMax: number
  /** Subscriptions of all clients. */
  readonly subscriptionsMax: number
  /** Streams of one connection. */
  readonly streamsPerConnectionMax: number
  /** Streams of one address. */
  readonly streamsPerRemoteMax: number
  /** Streams of all clients. */
  readonly streamsMax: number
  /** Items of one batch of a stream. */
  readonly streamItemsMax: number
  /** JSON of the items of one batch. The item that reaches it is the last one. */
  readonly streamBatchBytes: number
  /** Batches of a stream that its client has not acknowledged. Then it gets no more items. */
  readonly streamWindowMax: number
  /** A stream is closed if none of its batches is acknowledged for this long. */
  readonly streamStallMs: number
  /** An empty batch is due if a stream sent nothing for this long. It is sent within a quarter of this time. */
  readonly streamBeatMs: number
  /** Time after which a search of old blocks ends its batch, so that others can begin theirs. */
  readonly streamSearchMs: number
  /** Batches of streams at the head that are being made at a time, and as many of streams that read old blocks. Bounds their memory. */
  readonly streamLaneMax: number
  /** Cache of batches that several streams will send. */
  readonly streamTextsBytesMax: number
  /** Longest wait of a `quoin_getStream` for a new block. */
  readonly streamWaitMsMax: number
  /** Accounts of one stream of transactions. */
  readonly streamAccountsMax: number
  /** Hashes of one stream of receipts. */
  readonly streamHashesMax: number
  /** Pending bytes at which a WebSocket client gets no more notifications until it has read (back-pressure). */
  readonly socketFullBytes: number
  /** Pending bytes at which a slow WebSocket client is disconnected. */
  readonly socketBufferBytesMax: number
  /** Cache of JSON texts of recent logs, receipts and transactions. */
  readonly textsBytesMax: number
  readonly feeHistoryBlocksMax: number
  /** Gas of one `eth_call`, of each run of an `eth_estimateGas`, and of all calls of an `eth_simulateV1` together. */
  readonly callGasMax: number
  /** Largest difference between the last and the first block of a log query, which is one less than the number of blocks. */
  readonly logBlocksMax: number
  /** Logs in one response. The first block with matches is always returned whole. */
  readonly logsMax: number
  /** Receipts that one log query reads, including false positives of the bloom filter. */
  readonly logReceiptsMax: number
  /** Addresses in one log query or filter. */
  readonly logAddressesMax: number
  /** Topics in one log query or filter, in all positions together. */
  readonly logTopicsMax: number
  /** Transactions on one page of an account's history or of a block. A page of history ends with a whole block, so it may have more. */
  readonly pageTransactionsMax: number
  /** Entries of an access list. */
  readonly accessEntriesMax: number
  /** Storage keys in all entries of an access list together. */
  readonly accessKeysMax: number
  /** Storage keys in one `eth_getStorageValues`, of all accounts together. */
  readonly storageKeysMax: number
  /** Calls in all blocks of one simulation together. */
  readonly simulatedCallsMax: number
  /** Accounts that one call overrides, or one simulation in all its blocks together. */
  readonly overridesMax: number
  /** Storage entries that one call overrides, of all accounts together. */
  readonly overrideEntriesMax: number
  /** Pieces of evidence in one answer of `quoin_evidence`. */
  readonly pageEvidenceMax: number
  /** Storage keys of one `quoin_getProof`, as in geth. */
  readonly proofKeysMax: number
  /** Values in one response to `quoin_getProof`, in bytes. In hex they take twice as much, and proofs 2 KiB a key at the median. */
  readonly proofValueBytesMax: number
  /** Addresses, topics and hashes in the filters, log subscriptions and streams of all clients together. */
  readonly logTermsMax: number
  /** Addresses, topics and hashes in the filters, log subscriptions and streams of one remote address. */
  readonly logTermsPerRemoteMax: number
  /** Filters of all clients. */
  readonly filtersMax: number
  /** Filters of one remote address. */
  readonly filtersPerRemoteMax: number
  /** A filter that was not polled for this long is removed. */
  readonly filterIdleMs: number
  /** Block hashes in one response to `eth_getFilterChanges`. The next response continues after them. */
  readonly filterBlocksMax: number
  /** Pending transactions that are remembered for filters. A client that polls more slowly than they arrive loses the oldest. */
  readonly filterTransactionsMax: number
}

const KiB = 1024
const MiB = 1024 * KiB

/**
 * Default limits.
 *
 * Cost of log queries: a header takes 4 µs of processor time (10,000 take 40 ms; each address or topic adds 0.03 µs), a receipt with a log
 * 30 µs. So a query over the widest range takes 0.4 s if it finds little and the index of logs does not help. If every block has a match, as for a topic that all tokens
 * use, it ends after about 7 s with an error that names the range it covered.
 */
export const DEFAULT_RPC_LIMITS: RpcLimits = {
  bodyBytesMax: 5 * MiB,
  batchItemsMax: 1_000,
  batchConcurrencyMax: 32,
  responseBytesMax: 25 * MiB,
  parseAtOnceBytesMax: 16 * KiB,
  requestDepthMax: 64,
  // Parsing this many keys of 64 digits takes 10 ms, this many numbers half a millisecond.
  requestValuesMax: 8_192,
  // The largest state value in hex, and half as much again.
  requestBytesMax: 1_536 * KiB,
  sliceMs: 5,
  behindMs: 1_000,
  behindBlocksMax: 16,
  requestMs: 30_000,
  drainMs: 5_000,
  connectionsMax: 1_024,
  connectionsPerRemoteMax: 512,
  headersMs: 10_000,
  receiveMs: 30_000,
  keepAliveMs: 65_000,
  sendMs: 30_000,
  pingMs: 30_000,
  heldBytesMax: 128 * MiB,
  sweepMs: 250,
  callsMax: 8_192,
  callsPerRemoteMax: 2_048,
  callsKept: 8,
  callsPerConnectionMax: 64,
  pipelinedMax: 16,
  callsWaitingMax: 4_096,
  subscriptionsPerConnectionMax: 128,
  subscriptionsPerRemoteMax: 131_072,
  subscriptionsMax: 131_072,
  streamsPerConnectionMax: 128,
  streamsPerRemoteMax: 131_072,
  streamsMax: 131_072,
  streamItemsMax: 500,
  streamBatchBytes: 256 * KiB,
  streamWindowMax: 8,
  streamStallMs: 60_000,
  // With the quarter of it that a check may be late, a client hears from its stream every 5 s.
  streamBeatMs: 4_000,
  streamSearchMs: 250,
  streamLaneMax: 16,
  streamTextsBytesMax: 8 * MiB,
  streamWaitMsMax: 5_000,
  streamAccountsMax: 256,
  streamHashesMax: 1_024,
  socketFullBytes: MiB,
  socketBufferBytesMax: 32 * MiB,
  textsBytesMax: 32 * MiB,
  feeHistoryBlocksMax: 1_024,
  callGasMax: 50_000_000,
  logBlocksMax: 100_000,
  logsMax: 10_000,
  logReceiptsMax: 250_000,
  logAddressesMax: 1_000,
  logTopicsMax: 1_000,
  // Otterscan's pages, and Erigon's limit.
  pageTransactionsMax: 25,
  pageEvidenceMax: 64,
  accessEntriesMax: 1_024,
  accessKeysMax: 4_096,
  storageKeysMax: 1_024,
  // Reading this many takes 6 ms, and taking over their results 4 ms in another slice.
  simulatedCallsMax: 1_000,
  overridesMax: 1_024,
  overrideEntriesMax: 4_096,
  proofKeysMax: 1_024,
  proofValueBytesMax: 4 * MiB,
  // About 140 bytes each, 37 MB in total.
  logTermsMax: 262_144,
  logTermsPerRemoteMax: 32_768,
  filtersMax: 4_096,
  filtersPerRemoteMax: 256,
  filterIdleMs: 300_000,
  filterBlocksMax: 1_024,
  filterTransactionsMax: 16_384,
}

/** The largest JSON of one key with its proof, without the value. */
const PROOF_CHARS_MAX = 2 * (stateProofCodec.bytesMax + LIMITS.stateKeyBytesMax) + 64

/** Returns the limits, or throws RangeError if they contradict each other. */
export function checkRpcLimits(limits: RpcLimits): RpcLimits {
  const relations: readonly (readonly [boolean, string])[] = [
    [limits.connectionsPerRemoteMax <= limits.connectionsMax, 'connectionsPerRemoteMax must be at most connectionsMax'],
    [limits.behindMs < limits.requestMs, 'behindMs must be below requestMs'],
    [limits.parseAtOnceBytesMax <= limits.bodyBytesMax, 'parseAtOnceBytesMax must be at most bodyBytesMax'],
    [limits.requestValuesMax > limits.overrideEntriesMax, 'requestValuesMax must allow the largest overrides'],
    [limits.requestValuesMax > limits.logAddressesMax + limits.logTopicsMax, 'requestValuesMax must allow the largest log query'],
    [limits.streamsPerRemoteMax <= limits.streamsMax, 'streamsPerRemoteMax must be at most streamsMax'],
    [limits.streamsPerConnectionMax <= limits.streamsPerRemoteMax, 'streamsPerConnectionMax must be at most streamsPerRemoteMax'],
    [2 * limits.streamBeatMs <= limits.streamStallMs, 'streamStallMs must be well above streamBeatMs'],
    [
      limits.behindMs + limits.streamWaitMsMax + limits.streamSearchMs < limits.requestMs,
      'requestMs must be above the longest quoin_getStream',
    ],
    [
      Math.max(limits.streamAccountsMax, limits.streamHashesMax) < limits.requestValuesMax,
      'requestValuesMax must allow the largest filter of a stream',
    ],
    [
      Math.max(limits.streamAccountsMax, limits.streamHashesMax) <= limits.logTermsPerRemoteMax,
      'logTermsPerRemoteMax must hold the largest filter of a stream',
    ],
    [limits.socketFullBytes <= limits.socketBufferBytesMax, 'socketFullBytes must be at most socketBufferBytesMax'],
    [limits.socketBufferBytesMax >= limits.responseBytesMax, 'socketBufferBytesMax must hold the largest response'],
    [
      limits.heldBytesMax >= 2 * (limits.bodyBytesMax + limits.responseBytesMax),
      'heldBytesMax must hold two requests and their responses',
    ],
    [
      2 * limits.proofValueBytesMax + limits.proofKeysMax * PROOF_CHARS_MAX <= limits.responseBytesMax,
      'responseBytesMax must hold the largest proofs and values',
    ],
    [limits.callsPerConnectionMax <= limits.callsPerRemoteMax, 'callsPerConnectionMax must be at most callsPerRemoteMax'],
    [limits.callsPerRemoteMax < limits.callsMax, 'callsPerRemoteMax must be below callsMax, to leave slots to others'],
    [limits.callsKept <= limits.callsPerConnectionMax, 'callsKept must be at most callsPerConnectionMax'],
    [limits.headersMs <= limits.receiveMs, 'headersMs must be at most receiveMs'],
    [
      limits.logTermsPerRemoteMax >= limits.logAddressesMax + limits.logTopicsMax,
      'logTermsPerRemoteMax must hold the largest filter',
    ],
  ]
  for (const [holds, rule] of relations) if (!holds) throw new RangeError(`invalid RPC limits: ${rule}`)
  return limits
}

checkRpcLimits(DEFAULT_RPC_LIMITS)
