import {
  address,
  bytes,
  finalTransaction,
  flag,
  hash,
  list,
  mapOf,
  orNull,
  quantity,
  receiptInfo,
  type Schema,
} from '../../../packages/node/src/rpc/forms/index.ts'
import * as form from './schemas.ts'

/** Forms of a method's parameters, the required ones first, and of its result. */
export interface MethodForm {
  readonly params: readonly Schema[]
  /** The number of required parameters; by default all. */
  readonly required?: number
  /** Where it differs from what the node describes. Undefined: the node's description is that of execution-apis. */
  readonly result?: Schema
}

const { blockNumber, blockReference, request } = form

const withBlock = (params: readonly Schema[], block: Schema): MethodForm => ({
  params: [...params, block],
  required: params.length,
})
const plain: MethodForm = { params: [] }
const filterId = { params: [quantity] } as const

/** Every method of execution-apis that this chain serves (see `schemas.ts` for the source). */
export const METHODS: Readonly<Record<string, MethodForm>> = {
  eth_chainId: plain,
  eth_syncing: plain,
  eth_coinbase: plain,
  eth_accounts: plain,
  eth_blockNumber: plain,
  eth_config: plain,
  eth_capabilities: plain,
  net_version: plain,

  eth_getBlockByHash: { params: [hash, flag] },
  eth_getBlockByNumber: { params: [blockNumber, flag] },
  eth_getBlockTransactionCountByHash: { params: [hash] },
  eth_getBlockTransactionCountByNumber: { params: [blockNumber] },
  eth_getBlockReceipts: { params: [blockReference], result: orNull(list(receiptInfo)) },
  debug_getRawHeader: { params: [blockNumber] },
  debug_getRawBlock: { params: [blockNumber] },
  debug_getRawReceipts: { params: [blockNumber] },
  debug_getRawTransaction: { params: [hash], result: bytes },

  debug_traceTransaction: { params: [hash, form.traceOptions], required: 1 },
  debug_traceBlockByNumber: { params: [blockNumber, form.traceOptions], required: 1 },
  debug_traceBlockByHash: { params: [hash, form.traceOptions], required: 1 },

  eth_getTransactionByHash: { params: [hash], result: orNull(finalTransaction) },
  eth_getTransactionByBlockHashAndIndex: { params: [hash, quantity] },
  eth_getTransactionByBlockNumberAndIndex: { params: [blockNumber, quantity] },
  eth_getTransactionReceipt: { params: [hash], result: orNull(receiptInfo) },
  eth_sendRawTransaction: { params: [bytes] },
  eth_fillTransaction: { params: [request] },

  eth_getBalance: withBlock([address], blockReference),
  eth_getStorageAt: withBlock([address, form.bytesMax32], blockReference),
  eth_getStorageValues: withBlock([mapOf(list(form.bytesMax32))], blockReference),
  eth_getTransactionCount: withBlock([address], blockReference),
  eth_getCode: withBlock([address], blockReference),

  eth_call: withBlock([request], blockReference),
  eth_estimateGas: withBlock([request], blockNumber),
  eth_createAccessList: withBlock([request], blockNumber),
  eth_simulateV1: withBlock([form.simulation], blockReference),

  eth_gasPrice: plain,
  eth_baseFee: plain,
  eth_blobBaseFee: plain,
  eth_maxPriorityFeePerGas: plain,
  eth_feeHistory: { params: [quantity, blockNumber, list({ type: 'number' })] },

  eth_newFilter: { params: [form.filter] },
  eth_newBlockFilter: plain,
  eth_newPendingTransactionFilter: plain,
  eth_uninstallFilter: { ...filterId },
  eth_getFilterChanges: { ...filterId },
  eth_getFilterLogs: { ...filterId },
  eth_getLogs: { params: [form.filter] },

  txpool_status: plain,
  txpool_content: plain,
  txpool_contentFrom: { params: [address] },
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
  ...['quoin_subscribe', 'quoin_unsubscribe', 'quoin_acknowledge', 'quoin_getStream'],
  ...['quoin_organisations', 'quoin_accounts', 'quoin_nodes', 'quoin_validators'],
  ...['quoin_getProof', 'quoin_evidence', 'debug_traceCall', 'erigon_getHeaderByNumber', 'ots_getApiLevel', 'ots_hasCode'],
  ...['ots_getBlockDetails', 'ots_getBlockDetailsByHash', 'ots_getBlockTransactions'],
  ...['ots_searchTransactionsBefore', 'ots_searchTransactionsAfter', 'ots_getTransactionBySenderAndNonce'],
  ...['ots_getContractCreator', 'ots_traceTransaction', 'ots_getInternalOperations', 'ots_getTransactionError'],
])
