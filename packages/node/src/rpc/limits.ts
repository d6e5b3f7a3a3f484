/** Bounds of the RPC server; times in milliseconds. */
export interface RpcLimits {
  readonly bodyBytesMax: number
  readonly batchItemsMax: number
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
}

export const DEFAULT_RPC_LIMITS: RpcLimits = {
  bodyBytesMax: 5 * 1024 * 1024,
  batchItemsMax: 1_000,
  responseBytesMax: 25 * 1024 * 1024,
  requestMs: 30_000,
  drainMs: 5_000,
  connectionsMax: 1_024,
  subscriptionsPerConnectionMax: 128,
  socketBufferBytesMax: 16 * 1024 * 1024,
  feeHistoryBlocksMax: 1_024,
}
