import type { Schema } from './schemas.ts'
import * as form from './schemas.ts'

/** Forms of a method's parameters, the required ones first, and of its result. */
export interface MethodForm {
  readonly params: readonly Schema[]
  /** The number of required parameters; by default all. */
  readonly required?: number
  readonly result: Schema
}

const { address, blockNumber, blockReference, bytes, flag, hash, list, orNull, quantity, request } = form

const withBlock = (params: readonly Schema[], block: Schema, result: Schema): MethodForm => ({
  params: [...params, block],
  required: params.length,
  result,
})
const plain = (result: Schema): MethodForm => ({ params: [], result })
const filterId = { params: [quantity] } as const

/** Every method of execution-apis that this chain serves (see `schemas.ts` for the source). */
export const METHODS: Readonly<Record<string, MethodForm>> = {
  eth_chainId: plain(quantity),
  eth_syncing: plain(form.syncing),
  eth_coinbase: plain(address),
  eth_accounts: plain(list(address)),
  eth_blockNumber: plain(quantity),
  eth_config: plain(form.configurations),
  eth_capabilities: plain(form.capabilities),
  net_version: plain(form.decimal),

  eth_getBlockByHash: { params: [hash, flag], result: orNull(form.block) },
  eth_getBlockByNumber: { params: [blockNumber, flag], result: orNull(form.block) },
  eth_getBlockTransactionCountByHash: { params: [hash], result: orNull(quantity) },
  eth_getBlockTransactionCountByNumber: { params: [blockNumber], result: orNull(quantity) },
  eth_getBlockReceipts: { params: [blockReference], result: orNull(list(form.receipt)) },
  debug_getRawHeader: { params: [blockNumber], result: bytes },
  debug_getRawBlock: { params: [blockNumber], result: bytes },
  debug_getRawReceipts: { params: [blockNumber], result: list(bytes) },
  debug_getRawTransaction: { params: [hash], result: bytes },

  // The forms of named tracers are outside of execution-apis.
  debug_traceTransaction: { params: [hash, form.traceOptions], required: 1, result: {} },
  debug_traceBlockByNumber: { params: [blockNumber, form.traceOptions], required: 1, result: list(form.blockTrace) },
  debug_traceBlockByHash: { params: [hash, form.traceOptions], required: 1, result: list(form.blockTrace) },

  eth_getTransactionByHash: { params: [hash], result: orNull(form.finalTransaction) },
  eth_getTransactionByBlockHashAndIndex: { params: [hash, quantity], result: orNull(form.finalTransaction) },
  eth_getTransactionByBlockNumberAndIndex: { params: [blockNumber, quantity], result: orNull(form.finalTransaction) },
  eth_getTransactionReceipt: { params: [hash], result: orNull(form.receipt) },
  eth_sendRawTransaction: { params: [bytes], result: hash },
  eth_fillTransaction: { params: [request], result: form.open({ tx: form.unsignedTransaction }) },

  eth_getBalance: withBlock([address], blockReference, quantity),
  eth_getStorageAt: withBlock([address, form.bytesMax32], blockReference, bytes),
  eth_getStorageValues: withBlock([form.mapOf(list(form.bytesMax32))], blockReference, form.mapOf(list(bytes))),
  eth_getTransactionCount: withBlock([address], blockReference, quantity),
  eth_getCode: withBlock([address], blockReference, bytes),

  eth_call: withBlock([request], blockReference, bytes),
  eth_estimateGas: withBlock([request], blockNumber, quantity),
  eth_createAccessList: withBlock(
    [request],
    blockNumber,
    form.closed({}, { accessList: form.accessList, error: { type: 'string' }, gasUsed: quantity }),
  ),
  eth_simulateV1: withBlock([form.simulation], blockReference, form.simulatedBlocks),

  eth_gasPrice: plain(quantity),
  eth_baseFee: plain(quantity),
  eth_blobBaseFee: plain(quantity),
  eth_maxPriorityFeePerGas: plain(quantity),
  eth_feeHistory: { params: [quantity, blockNumber, list({ type: 'number' })], result: form.feeHistory },

  eth_newFilter: { params: [form.filter], result: quantity },
  eth_newBlockFilter: plain(quantity),
  eth_newPendingTransactionFilter: plain(quantity),
  eth_uninstallFilter: { ...filterId, result: flag },
  eth_getFilterChanges: { ...filterId, result: form.filterResults },
  eth_getFilterLogs: { ...filterId, result: form.filterResults },
  eth_getLogs: { params: [form.filter], result: form.filterResults },

  txpool_status: plain(form.poolStatus),
  txpool_content: plain(form.poolContent),
  txpool_contentFrom: { params: [address], result: form.poolContentFrom },
}

/** Methods of execution-apis that this chain does not serve, and why. */
export const NOT_SERVED: Readonly<Record<string, string>> = {
  eth_sign: 'a node keeps no keys',
  eth_signTransaction: 'a node keeps no keys',
  eth_sendTransaction: 'a node keeps no keys',
  eth_getProof: 'proofs of the state tree have another form than those of a Merkle Patricia trie',
  eth_getBlockAccessList: 'blocks have no access lists (EIP-7928)',
  debug_getRawBlockAccessList: 'blocks have no access lists (EIP-7928)',
  debug_getBadBlocks: 'a node keeps no block that it refused',
}

/** Served methods that execution-apis does not specify: go-ethereum, Erigon or an EIP has them. */
export const UNSPECIFIED: ReadonlySet<string> = new Set([
  ...['net_listening', 'net_peerCount', 'web3_clientVersion', 'web3_sha3', 'rpc_modules', 'rpc.discover'],
  ...['eth_mining', 'eth_hashrate', 'eth_protocolVersion'],
  ...['eth_getUncleCountByBlockNumber', 'eth_getUncleCountByBlockHash'],
  ...['eth_getUncleByBlockNumberAndIndex', 'eth_getUncleByBlockHashAndIndex'],
  ...['eth_getRawTransactionByHash', 'eth_getRawTransactionByBlockHashAndIndex', 'eth_getRawTransactionByBlockNumberAndIndex'],
  ...['eth_sendRawTransactionSync', 'eth_subscribe', 'eth_unsubscribe', 'txpool_inspect'],
  ...['quoin_getProof', 'debug_traceCall', 'erigon_getHeaderByNumber', 'ots_getApiLevel', 'ots_hasCode'],
  ...['ots_getBlockDetails', 'ots_getBlockDetailsByHash', 'ots_getBlockTransactions'],
  ...['ots_searchTransactionsBefore', 'ots_searchTransactionsAfter', 'ots_getTransactionBySenderAndNonce'],
  ...['ots_getContractCreator', 'ots_traceTransaction', 'ots_getInternalOperations', 'ots_getTransactionError'],
])
