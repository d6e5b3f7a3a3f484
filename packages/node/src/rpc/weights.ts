/**
 * What a call costs, in units. A unit is what a read of one account takes of the RPC's thread, some 40 µs with its share of HTTP; calls of
 * contracts are weighed by the threads that run them. `bench/` has the figures behind the table.
 */
const WEIGHTS: Readonly<Record<string, number>> = {
  eth_call: 10,
  eth_estimateGas: 20,
  eth_sendRawTransaction: 4,
  eth_sendRawTransactionSync: 8,
  eth_getLogs: 20,
  eth_getFilterLogs: 20,
  eth_getFilterChanges: 4,
  eth_newFilter: 4,
  eth_subscribe: 4,
  eth_getBlockByNumber: 4,
  eth_getBlockByHash: 4,
  eth_getBlockReceipts: 40,
  eth_getTransactionByHash: 2,
  eth_getTransactionReceipt: 4,
  eth_feeHistory: 20,
}

/** Of a block with its transactions, instead of their hashes. */
const FULL_BLOCK_WEIGHT = 40
const BLOCK_METHODS: ReadonlySet<string> = new Set(['eth_getBlockByNumber', 'eth_getBlockByHash'])

export function weightOf(method: string, params: unknown): number {
  if (BLOCK_METHODS.has(method) && Array.isArray(params) && params[1] === true) return FULL_BLOCK_WEIGHT
  return WEIGHTS[method] ?? 1
}

/** A text costs a unit for each so many bytes, before anything of it is read. Short ones are in what their calls weigh. */
const UNIT_BYTES = 1_024

export const weightOfText = (bytes: number): number => Math.floor(bytes / UNIT_BYTES)

/** What is no request, and a request that nobody serves. */
export const REFUSED_WEIGHT = 1

/** No call weighs more: what an allowance must hold at least. */
export const WEIGHT_MAX = Math.max(FULL_BLOCK_WEIGHT, ...Object.values(WEIGHTS))
