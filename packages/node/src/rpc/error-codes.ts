/** JSON-RPC error codes that standard Ethereum clients react to (EIP-1474, go-ethereum). */
export const RPC_CODE = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  server: -32000,
  notFound: -32001,
  /** EIP-1474: the node cannot answer this now. viem does not ask the same node again, and its `fallback` asks the next one. */
  unavailable: -32002,
  transactionRejected: -32003,
  limitExceeded: -32005,
  /** A simulated call failed for another reason than a revert. */
  callFailed: -32015,
  /** A simulation took too long. */
  timeout: -32016,
  /** EIP-7966: the transaction was sent, but is not in a block in time; `data` is its hash. */
  notIncluded: 4,
  /** Call reverted; `data` is the revert data as hex. */
  reverted: 3,
  /** EIP-1193: the account or method has not been authorized. */
  unauthorized: 4100,
  prunedHistory: 4444,
} as const

/** Codes of `eth_simulateV1` (execution-apis) for what ends a simulation. */
export const SIMULATION_CODE = {
  nonceTooLow: -38010,
  nonceTooHigh: -38011,
  feeTooLow: -38012,
  intrinsicGas: -38013,
  insufficientFunds: -38014,
  blockGasLimit: -38015,
  blockNumberOrder: -38020,
  blockTimeOrder: -38021,
  tooLarge: -38025,
  limitExceeded: -38026,
} as const
