import {
  byMember,
  closed,
  component,
  either,
  flag,
  list,
  mapOf,
  nothing,
  open,
  orNull,
  type Schema,
  text,
} from './json-schema.ts'
import {
  address,
  byte,
  bytes,
  bytes4,
  bytes8,
  bytes256,
  hash,
  quantity,
  ratio,
  string,
  uint64,
  uint256,
  whole,
} from './values.ts'

/**
 * The forms of results of Ethereum's JSON-RPC, written after the OpenRPC document of ethereum/execution-apis, commit
 * 033ca6e69da000445840d2060ff47e5e56172a86 of 2026-08-06 (CC0-1.0): `src/schemas/*.yaml`. Forms that no method of this chain can
 * have are left out: transactions of types 3 and 4, Merkle-Patricia proofs. `test/conformance/rpc` names each difference.
 *
 * One form says what that document means and does not say: an empty list is a valid `FilterResults`, where a `oneOf` there refuses it.
 */

export const accessList = component('AccessList', list(closed({ address, storageKeys: list(hash) })))

const TYPES = ['0x0', '0x1', '0x2'] as const
type TypeName = (typeof TYPES)[number]

const unsignedOf = (type: TypeName): Schema =>
  open(
    {
      ...{ type: text(type), nonce: quantity, gas: quantity, value: quantity, input: bytes, gasPrice: quantity },
      ...(type === '0x2' ? { maxFeePerGas: quantity, maxPriorityFeePerGas: quantity } : {}),
      ...(type === '0x0' ? {} : { chainId: quantity, accessList }),
    },
    { to: orNull(address), ...(type === '0x0' ? { chainId: quantity } : {}) },
  )

const signatureOf = (type: TypeName): Schema =>
  type === '0x0'
    ? open({ v: quantity, r: quantity, s: quantity })
    : open({ yParity: byte, r: quantity, s: quantity }, { v: byte })

export const unsignedTransaction = component('UnsignedTransaction', byMember('type', TYPES, unsignedOf))
const signedTransaction = component(
  'SignedTransaction',
  byMember('type', TYPES, (type) => ({ allOf: [unsignedOf(type), signatureOf(type)] })),
)

/** `TransactionInfo` */
export const finalTransaction = component('FinalTransaction', {
  allOf: [
    open({
      ...{ blockHash: hash, blockNumber: quantity, blockTimestamp: quantity, transactionIndex: quantity },
      ...{ from: address, hash },
    }),
    signedTransaction,
  ],
})

/** `PendingTransactionInfo` */
export const pendingTransaction = component('PendingTransaction', {
  allOf: [
    open(
      { from: address, hash },
      { blockHash: nothing, blockNumber: nothing, blockTimestamp: nothing, transactionIndex: nothing },
    ),
    signedTransaction,
  ],
})

/** A transaction in a block, or one that waits for a block. */
export const transaction = either({ properties: { blockHash: nothing } }, pendingTransaction, finalTransaction)

export const withdrawal = closed({ index: uint64, validatorIndex: uint64, address, amount: uint256 })

const headerMembers = {
  ...{ hash, parentHash: hash, sha3Uncles: hash, miner: address, stateRoot: hash, transactionsRoot: hash, receiptsRoot: hash },
  ...{ number: quantity, gasLimit: quantity, gasUsed: quantity, timestamp: quantity },
  ...{ extraData: bytes, mixHash: hash, nonce: bytes8 },
}
const laterMembers = {
  ...{ difficulty: quantity, baseFeePerGas: quantity, withdrawalsRoot: hash, blobGasUsed: quantity, excessBlobGas: quantity },
  ...{ parentBeaconBlockRoot: hash, requestsHash: hash, blockAccessListHash: hash },
}

export const header = component('Header', open({ ...headerMembers, logsBloom: bytes256 }, laterMembers))

/** The members of a block, except `logsBloom` and `transactions`. */
export const blockMembers = { ...headerMembers, size: quantity, uncles: list(hash) }

export const block = component(
  'Block',
  open(
    { ...blockMembers, logsBloom: bytes256, transactions: list(either({ type: 'string' }, hash, finalTransaction)) },
    { ...laterMembers, withdrawals: list(withdrawal) },
  ),
)

export const log = component(
  'Log',
  closed(
    { transactionHash: hash },
    {
      ...{ removed: flag, logIndex: quantity, transactionIndex: quantity, blockHash: hash, blockNumber: quantity },
      ...{ blockTimestamp: quantity, address, data: bytes, topics: list(hash) },
    },
  ),
)

/** The required members of a receipt, except its logs. */
export const receiptMembers = {
  ...{ blockHash: hash, blockNumber: quantity, from: address, cumulativeGasUsed: quantity, gasUsed: quantity },
  ...{ transactionHash: hash, transactionIndex: quantity, effectiveGasPrice: quantity },
}
/** The optional members of a receipt in execution-apis. */
export const receiptOptions = {
  ...{ type: byte, to: orNull(address), contractAddress: orNull(address), root: hash, status: quantity },
  ...{ blobGasUsed: quantity, blobGasPrice: quantity },
}
export const logMembers = { logs: list(log), logsBloom: bytes256 }

/** `ReceiptInfo` */
export const receiptInfo = closed({ ...receiptMembers, ...logMembers }, receiptOptions)

/** `revertReason`, as in Besu: what a failed transaction returned. */
export const receipt = component(
  'Receipt',
  closed({ ...receiptMembers, ...logMembers }, { ...receiptOptions, revertReason: bytes }),
)

/** `FilterResults` */
export const filterResults = list(either({ type: 'string' }, hash, log))

export const feeHistory = component(
  'FeeHistory',
  closed(
    { oldestBlock: quantity, baseFeePerGas: list(quantity), gasUsedRatio: list(ratio) },
    { baseFeePerBlobGas: list(quantity), blobGasUsedRatio: list(ratio), reward: list(list(quantity)) },
  ),
)

export const syncStatus = component(
  'SyncStatus',
  closed({}, { startingBlock: quantity, currentBlock: quantity, highestBlock: quantity }),
)
/** `SyncingStatus` */
export const syncing = either({ type: 'object' }, syncStatus, flag)

const configuration = component(
  'Configuration',
  closed({
    activationTime: { type: 'number' },
    blobSchedule: closed({ baseFeeUpdateFraction: whole, max: whole, target: whole }),
    ...{ chainId: quantity, forkId: bytes4, precompiles: mapOf(address), systemContracts: mapOf(address) },
  }),
)
/** `ConfigurationResponse` (EIP-7910) */
export const configurations = component(
  'Configurations',
  closed({ current: configuration, next: orNull(configuration), last: orNull(configuration) }),
)

const resource = component(
  'Resource',
  closed(
    { disabled: flag },
    { oldestBlock: quantity, deleteStrategy: closed({ type: { const: 'window' }, retentionBlocks: quantity }) },
  ),
)
export const capabilities = component(
  'Capabilities',
  closed({
    head: closed({ number: quantity, hash }),
    ...{ state: resource, tx: resource, logs: resource, receipts: resource, blocks: resource, stateproofs: resource },
  }),
)

const byNonce = mapOf(pendingTransaction)
const poolOf = (transactions: Schema): Schema => open({ pending: transactions, queued: transactions })
export const poolStatus = component('PoolStatus', poolOf(quantity))
export const poolContent = component('PoolContent', poolOf(mapOf(byNonce)))
export const poolContentFrom = component('PoolContentFrom', poolOf(byNonce))
export const poolTexts = component('PoolTexts', poolOf(mapOf(mapOf(string))))

export const createdAccessList = component('CreatedAccessList', closed({}, { accessList, error: string, gasUsed: quantity }))
export const filledTransaction = component('FilledTransaction', open({ raw: bytes, tx: unsignedTransaction }))
/** Values by account, in the order of its keys. */
export const storageValues = component('StorageValues', mapOf(list(bytes)))

const proven = closed({ key: bytes, value: orNull(bytes), proof: bytes })
export const accountProof = component(
  'AccountProof',
  closed({
    ...{ address, blockNumber: quantity, blockHash: hash },
    account: orNull(closed({ nonce: quantity, balance: quantity, codeHash: orNull(hash) })),
    ...{ accountProof: bytes, storageProof: list(proven) },
  }),
)

const callGas = { returnData: bytes, gasUsed: uint64 }
const callError = either(
  { properties: { code: { const: 3 } } },
  open({ code: { const: 3 }, message: text('execution reverted.*') }),
  open({ code: { const: -32015 }, message: text('vm execution error.*') }),
)
const callResult = component(
  'SimulatedCall',
  byMember('status', ['0x0', '0x1'], (status) =>
    status === '0x0'
      ? open({ status: text(status), ...callGas, error: callError }, { maxUsedGas: uint64 })
      : open({ status: text(status), ...callGas, logs: list(log) }, { maxUsedGas: uint64 }),
  ),
)
/** `EthSimulateResult` */
export const simulatedBlock = component('SimulatedBlock', { allOf: [block, open({ calls: list(callResult) })] })
