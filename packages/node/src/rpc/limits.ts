/** Bounds of the RPC server; times in milliseconds. */
export interface RpcLimits {
  readonly bodyBytesMax: number
  readonly batchItemsMax: number
  /** Requests of one batch that run at a time: what their answers take in memory is bounded by this. */
  readonly batchConcurrencyMax: number
  /** JSON of one batch's answers, and of the logs in one answer. */
  readonly responseBytesMax: number
  /** A text up to this length is parsed at once; a longer one is looked through first. */
  readonly parseAtOnceBytesMax: number
  /** How deep the JSON of a long text may nest, and how many values one of its requests may have. */
  readonly requestDepthMax: number
  readonly requestValuesMax: number
  /** Of one request; a batch may have more. */
  readonly requestBytesMax: number
  /** How long the work of all clients together holds the loop before sockets and timers have their turn. */
  readonly sliceMs: number
  /** A request that takes longer is answered with an error. */
  readonly requestMs: number
  /** How long the rest of a body that is too large is read and dropped, before the connection is closed. */
  readonly drainMs: number
  /** Open connections, and those of one address. */
  readonly connectionsMax: number
  readonly connectionsPerRemoteMax: number
  /** How long a client may take to send a request's head, and the whole of it. */
  readonly headersMs: number
  readonly receiveMs: number
  /** How long a connection without a request stays open. */
  readonly keepAliveMs: number
  /** How long a client may take none of the bytes that wait for it. */
  readonly sendMs: number
  /** How often a WebSocket is asked whether its client is still there; one that has not answered by the next time is closed. */
  readonly pingMs: number
  /** Bytes that requests which are still coming in and answers which wait for their clients take together. */
  readonly heldBytesMax: number
  /** How often it is looked whether they do. */
  readonly sweepMs: number
  /** Requests that are being answered at a time; more wait for a turn. */
  readonly callsMax: number
  /** Those of one address, and how many each address may have whatever others have. */
  readonly callsPerRemoteMax: number
  readonly callsKept: number
  /** Requests of one connection that are being answered at a time; nothing more is read from it meanwhile. */
  readonly callsPerConnectionMax: number
  /** HTTP requests that a client may have sent before it has its first answer. */
  readonly pipelinedMax: number
  /** Requests that one connection may have sent on beyond that, in what was read already. */
  readonly callsWaitingMax: number
  /** Subscriptions of one connection, of one address and of all. */
  readonly subscriptionsPerConnectionMax: number
  readonly subscriptionsPerRemoteMax: number
  readonly subscriptionsMax: number
  /** Bytes that wait for a WebSocket client: from here on it gets no more notifications before it has read. */
  readonly socketFullBytes: number
  /** Bytes that wait for a slow WebSocket client before it is closed. */
  readonly socketBufferBytesMax: number
  /** JSON texts of recent logs, receipts and transactions that are kept. */
  readonly textsBytesMax: number
  readonly feeHistoryBlocksMax: number
  /** Gas of one `eth_call`, and of each run of an `eth_estimateGas`. */
  readonly callGasMax: number
  /** Blocks from the first one of a log query to its last, which is one less than the query reads. */
  readonly logBlocksMax: number
  /** Logs in one answer; the block in which the first of them stand is never cut. */
  readonly logsMax: number
  /** Receipts that one log query reads, hits of the bloom filter that were none among them. */
  readonly logReceiptsMax: number
  /** Addresses that one log query or filter names. */
  readonly logAddressesMax: number
  /** Topics that one log query or filter names, in all positions together. */
  readonly logTopicsMax: number
  /** Entries of an access list, and storage keys in all of them. */
  readonly accessEntriesMax: number
  readonly accessKeysMax: number
  /** Accounts that one call overrides, and entries of their storage together. */
  readonly overridesMax: number
  readonly overrideEntriesMax: number
  /** Addresses and topics that the filters and log subscriptions of all clients name together, and those of one remote address. */
  readonly logTermsMax: number
  readonly logTermsPerRemoteMax: number
  /** Filters of all clients, and of one remote address. */
  readonly filtersMax: number
  readonly filtersPerRemoteMax: number
  /** A filter that nobody asked for so long is forgotten. */
  readonly filterIdleMs: number
  /** Block hashes in one answer to `eth_getFilterChanges`; the next has those that follow. */
  readonly filterBlocksMax: number
  /** Pending transactions that are remembered for filters; who asks less often than that many come loses the oldest. */
  readonly filterTransactionsMax: number
}

const KiB = 1024
const MiB = 1024 * KiB

/**
 * Log queries: a header costs 4 µs of processor time (10,000 of them 40 ms; each address or topic that is named adds 0.03 µs), a receipt
 * with a log 30 µs. So a query over the widest range takes 0.4 s where it finds little; where every block has a hit, as a topic of all
 * tokens has, it ends after some 7 s with the range that it got through.
 */
export const DEFAULT_RPC_LIMITS: RpcLimits = {
  bodyBytesMax: 5 * MiB,
  batchItemsMax: 1_000,
  batchConcurrencyMax: 32,
  responseBytesMax: 25 * MiB,
  parseAtOnceBytesMax: 16 * KiB,
  requestDepthMax: 64,
  // As many names of 64 digits take 10 ms of parsing, as many numbers half a millisecond.
  requestValuesMax: 8_192,
  // A value of state of the largest size, in hex, and half as much again.
  requestBytesMax: 1_536 * KiB,
  sliceMs: 5,
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
  accessEntriesMax: 1_024,
  accessKeysMax: 4_096,
  overridesMax: 1_024,
  overrideEntriesMax: 4_096,
  // Some 140 bytes each: 37 MB in all.
  logTermsMax: 262_144,
  logTermsPerRemoteMax: 32_768,
  filtersMax: 4_096,
  filtersPerRemoteMax: 256,
  filterIdleMs: 300_000,
  filterBlocksMax: 1_024,
  filterTransactionsMax: 16_384,
}

/** Throws RangeError when limits contradict each other. */
export function checkRpcLimits(limits: RpcLimits): RpcLimits {
  const relations: readonly (readonly [boolean, string])[] = [
    [limits.connectionsPerRemoteMax <= limits.connectionsMax, 'connectionsPerRemoteMax is at most connectionsMax'],
    [limits.parseAtOnceBytesMax <= limits.bodyBytesMax, 'parseAtOnceBytesMax is at most bodyBytesMax'],
    [limits.requestValuesMax > limits.overrideEntriesMax, 'requestValuesMax holds the largest overrides'],
    [limits.requestValuesMax > limits.logAddressesMax + limits.logTopicsMax, 'requestValuesMax holds the largest log query'],
    [limits.socketFullBytes <= limits.socketBufferBytesMax, 'socketFullBytes is at most socketBufferBytesMax'],
    [limits.socketBufferBytesMax >= limits.responseBytesMax, 'socketBufferBytesMax holds the largest answer'],
    [
      limits.heldBytesMax >= 2 * (limits.bodyBytesMax + limits.responseBytesMax),
      'heldBytesMax holds two requests and their answers',
    ],
    [limits.callsPerConnectionMax <= limits.callsPerRemoteMax, 'callsPerConnectionMax is at most callsPerRemoteMax'],
    [limits.callsPerRemoteMax < limits.callsMax, 'callsPerRemoteMax leaves places to others'],
    [limits.callsKept <= limits.callsPerConnectionMax, 'callsKept is at most callsPerConnectionMax'],
    [limits.headersMs <= limits.receiveMs, 'headersMs is at most receiveMs'],
    [
      limits.logTermsPerRemoteMax >= limits.logAddressesMax + limits.logTopicsMax,
      'logTermsPerRemoteMax holds the largest filter',
    ],
  ]
  for (const [holds, rule] of relations) if (!holds) throw new RangeError(`RPC limits: ${rule}`)
  return limits
}

checkRpcLimits(DEFAULT_RPC_LIMITS)
