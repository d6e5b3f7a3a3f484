/**
 * Cost of each method in rate limit units. One unit is the time of the RPC thread for a read of one account, about 40 µs with its share of
 * HTTP. Contract calls are also limited by the threads that run them. `bench/` has the measurements behind the table.
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
  quoin_subscribe: 20,
  quoin_getStream: 20,
  eth_getBlockByNumber: 4,
  eth_getBlockByHash: 4,
  eth_getBlockReceipts: 40,
  eth_getTransactionByHash: 2,
  eth_getTransactionReceipt: 4,
  eth_feeHistory: 20,
  // A page of 200 entries, or 128 validators.
  quoin_organisations: 20,
  quoin_accounts: 20,
  quoin_nodes: 20,
  quoin_validators: 20,
  eth_createAccessList: 10,
  eth_fillTransaction: 20,
  // All evidence is read, usually none.
  quoin_evidence: 20,
  // 60 KiB, which are made once.
  'rpc.discover': 10,
  // Up to a block is run again. The threads that run calls limit it too.
  debug_traceTransaction: 100,
  debug_traceCall: 100,
  ots_traceTransaction: 100,
  ots_getInternalOperations: 100,
  ots_getTransactionError: 4,
  debug_traceBlockByNumber: 400,
  debug_traceBlockByHash: 400,
  ots_getBlockDetails: 40,
  ots_getBlockDetailsByHash: 40,
  ots_getBlockTransactions: 40,
  ots_searchTransactionsBefore: 80,
  ots_searchTransactionsAfter: 80,
  ots_getTransactionBySenderAndNonce: 40,
  debug_getRawBlock: 10,
  debug_getRawReceipts: 40,
  // A full pool takes a second, but most pools are nearly empty. Full ones are listed one at a time.
  txpool_content: 40,
  txpool_inspect: 40,
  txpool_contentFrom: 40,
}

/** Cost of a block with full transactions instead of their hashes. */
const FULL_BLOCK_WEIGHT = 40
const BLOCK_METHODS: ReadonlySet<string> = new Set(['eth_getBlockByNumber', 'eth_getBlockByHash'])

/** Maximum of a cost that grows with the parameters. */
const COUNTED_WEIGHT_MAX = 1_400

const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0)
const membersOf = (value: unknown): readonly unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value) : []

/**
 * Costs of methods that grow with their parameters, which are not checked yet. A storage key costs a read. A simulation has the gas of one
 * call, but each call and each block in it costs the thread about 25 µs, also those that fill gaps. For a key that is proven the RPC thread
 * writes 2 KiB, and the thread of proofs works 0.2 ms.
 */
const COUNTED: Readonly<Record<string, (params: readonly unknown[]) => number>> = {
  quoin_getProof: ([, keys]) => 10 + lengthOf(keys),
  eth_getStorageValues: ([requests]) => membersOf(requests).reduce<number>((sum, keys) => sum + lengthOf(keys), 1),
  eth_simulateV1([payload]) {
    const blocks = membersOf((payload as { readonly blockStateCalls?: unknown } | null | undefined)?.blockStateCalls)
    return blocks.reduce<number>((sum, block) => sum + 1 + lengthOf((block as { readonly calls?: unknown } | null)?.calls), 100)
  },
}

export function weightOf(method: string, params: unknown): number {
  const counted = Object.hasOwn(COUNTED, method) ? COUNTED[method] : undefined
  if (counted !== undefined) return Math.min(counted(Array.isArray(params) ? params : []), COUNTED_WEIGHT_MAX)
  if (BLOCK_METHODS.has(method) && Array.isArray(params) && params[1] === true) return FULL_BLOCK_WEIGHT
  return WEIGHTS[method] ?? 1
}

/**
 * Cost of a proof for each block that was committed after the one it is for. The thread of proofs undoes them: 1.6 ms for each block of
 * 5,000 changes.
 */
const PROOF_BLOCK_WEIGHT = 16

/** What a proof costs beyond its weight, which a request does not say: it may name its block by hash, and the head moves. */
export const weightOfPastProof = (blocksBehindHead: number): number => PROOF_BLOCK_WEIGHT * blocksBehindHead

/** Transactions of a block that are found in it for one unit. */
const UNIT_TRANSACTIONS = 64

/** What one more block on a page of an account's history costs: its transactions must be found, whoever sent them. */
export const weightOfPageBlock = (transactions: number): number => Math.floor(transactions / UNIT_TRANSACTIONS)

/** A text costs one unit per this many bytes, charged before it is parsed. Shorter texts are covered by the cost of their calls. */
const UNIT_BYTES = 1_024

export const weightOfText = (bytes: number): number => Math.floor(bytes / UNIT_BYTES)

/** Cost of an invalid request, and of an unknown method. */
export const REFUSED_WEIGHT = 1
