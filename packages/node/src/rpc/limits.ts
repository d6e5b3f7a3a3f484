/** Bounds of the RPC server; times in milliseconds. */
export interface RpcLimits {
  readonly bodyBytesMax: number
  readonly batchItemsMax: number
  /** Requests of one batch that run at a time: what their answers take in memory is bounded by this. */
  readonly batchConcurrencyMax: number
  /** JSON of one batch's answers, and of the logs in one answer. */
  readonly responseBytesMax: number
  /** A request that takes longer is answered with an error. */
  readonly requestMs: number
  /** How long the rest of a body that is too large is read and dropped, before the connection is closed. */
  readonly drainMs: number
  readonly connectionsMax: number
  readonly subscriptionsPerConnectionMax: number
  /** Bytes that wait for a slow WebSocket client before it is closed. */
  readonly socketBufferBytesMax: number
  readonly feeHistoryBlocksMax: number
  /** Gas of one `eth_call`, and of each run of an `eth_estimateGas`. */
  readonly callGasMax: number
  /** Blocks from the first one of a log query to its last, which is one less than the query reads. */
  readonly logBlocksMax: number
  /** Logs in one answer; the block in which the first of them stand is never cut. */
  readonly logsMax: number
  /** Receipts that one log query reads, hits of the bloom filter that were none among them. */
  readonly logReceiptsMax: number
  /** Headers and receipts that a log query looks through before other work gets its turn. */
  readonly logSliceItemsMax: number
  /** Addresses that one log query or filter names. */
  readonly logAddressesMax: number
  /** Topics that one log query or filter names, in all positions together. */
  readonly logTopicsMax: number
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

/**
 * Log queries: a header costs 4 µs of processor time (10,000 of them 40 ms; each address or topic that is named adds 0.03 µs), a receipt
 * with a log 30 µs. So a query over the widest range takes 0.4 s where it finds little; where every block has a hit, as a topic of all
 * tokens has, it ends after some 7 s with the range that it got through. A slice takes 1 to 8 ms, or as long as one block's receipts.
 */
export const DEFAULT_RPC_LIMITS: RpcLimits = {
  bodyBytesMax: 5 * 1024 * 1024,
  batchItemsMax: 1_000,
  batchConcurrencyMax: 32,
  responseBytesMax: 25 * 1024 * 1024,
  requestMs: 30_000,
  drainMs: 5_000,
  connectionsMax: 1_024,
  subscriptionsPerConnectionMax: 128,
  socketBufferBytesMax: 16 * 1024 * 1024,
  feeHistoryBlocksMax: 1_024,
  callGasMax: 50_000_000,
  logBlocksMax: 100_000,
  logsMax: 10_000,
  logReceiptsMax: 250_000,
  logSliceItemsMax: 256,
  logAddressesMax: 1_000,
  logTopicsMax: 1_000,
  // Some 140 bytes each: 37 MB in all.
  logTermsMax: 262_144,
  logTermsPerRemoteMax: 32_768,
  filtersMax: 4_096,
  filtersPerRemoteMax: 256,
  filterIdleMs: 300_000,
  filterBlocksMax: 1_024,
  filterTransactionsMax: 16_384,
}
