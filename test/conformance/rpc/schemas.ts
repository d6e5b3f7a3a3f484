/**
 * The forms of parameters and results of Ethereum's JSON-RPC as JSON schemas, written after the OpenRPC document of ethereum/execution-apis,
 * commit 033ca6e69da000445840d2060ff47e5e56172a86 of 2026-08-06 (CC0-1.0): `src/schemas/*.yaml`. Forms that no method of this chain can
 * have are left out: transactions of types 3 and 4, proofs, traces.
 *
 * Two forms say what that document means and does not say: an empty list is a valid `FilterResults`, where a `oneOf` there refuses it, and the members of
 * `BlockStateCalls` are those of its items.
 */
export type Schema = Readonly<Record<string, unknown>>

const text = (pattern: string): Schema => ({ type: 'string', pattern: `^${pattern}$` })
const bytesOf = (length: number): Schema => text(`0x[0-9a-f]{${2 * length}}`)
const quantityOf = (digits: string): Schema => text(`0x(0|[1-9a-f][0-9a-f]${digits})`)

export const address = text('0x[0-9a-fA-F]{40}')
const byte = text('0x[0-9a-f]{1,2}')
export const bytes = text('0x[0-9a-f]*')
export const bytesMax32 = text('0x[0-9a-f]{0,64}')
export const hash = bytesOf(32)
export const quantity = quantityOf('*')
const quantity64 = quantityOf('{0,15}')
const quantity256 = quantityOf('{0,63}')
export const decimal = text('(0|[1-9][0-9]*)')
export const flag: Schema = { type: 'boolean' }
const nothing: Schema = { type: 'null' }
const ratio: Schema = { type: 'number', minimum: 0, maximum: 1 }

export const list = (items: Schema): Schema => ({ type: 'array', items })

/** The form holds only where the condition is met. */
const where = (condition: Schema, form: Schema): Schema => ({ if: { not: condition }, else: form })
/** Reports the problems of the one alternative that can be meant, instead of those of all. */
const either = (condition: Schema, met: Schema, otherwise: Schema): Schema => ({
  allOf: [where(condition, met), { if: condition, else: otherwise }],
})
export const orNull = (schema: Schema): Schema => either(nothing, nothing, schema)

type Members = Readonly<Record<string, Schema>>

/** An object that may have further members. */
export const open = (required: Members, optional: Members = {}): Schema => ({
  type: 'object',
  required: Object.keys(required),
  properties: { ...required, ...optional },
})
/** An object without further members. */
export const closed = (required: Members, optional: Members = {}): Schema => ({
  ...open(required, optional),
  additionalProperties: false,
})
export const mapOf = (values: Schema, names = '.*'): Schema => ({
  type: 'object',
  patternProperties: { [`^${names}$`]: values },
  additionalProperties: false,
})

/** Options of a trace, without those of the struct logger. */
export const traceOptions = open({}, { tracer: { type: 'string' }, tracerConfig: open({}), timeout: { type: 'string' } })
export const blockTrace = open({ txHash: hash, result: {} })

export const accessList = list(closed({ address, storageKeys: list(hash) }))

const unsignedOf = (type: 0 | 1 | 2): Schema =>
  open(
    {
      ...{ type: text(`0x${type}`), nonce: quantity, gas: quantity, value: quantity, input: bytes, gasPrice: quantity },
      ...(type === 2 ? { maxFeePerGas: quantity, maxPriorityFeePerGas: quantity } : {}),
      ...(type === 0 ? {} : { chainId: quantity, accessList }),
    },
    { to: orNull(address), ...(type === 0 ? { chainId: quantity } : {}) },
  )

const signatureOf = (type: 0 | 1 | 2): Schema =>
  type === 0 ? open({ v: quantity, r: quantity, s: quantity }) : open({ yParity: byte, r: quantity, s: quantity }, { v: byte })

const typed = (forms: (type: 0 | 1 | 2) => Schema): Schema => ({
  ...open({ type: { enum: ['0x0', '0x1', '0x2'] } }),
  allOf: ([0, 1, 2] as const).map((type) => where({ properties: { type: { const: `0x${type}` } } }, forms(type))),
})

export const unsignedTransaction = typed(unsignedOf)
const signedTransaction = typed((type) => ({ allOf: [unsignedOf(type), signatureOf(type)] }))

/** `TransactionInfo` */
export const finalTransaction: Schema = {
  allOf: [
    open({
      ...{ blockHash: hash, blockNumber: quantity, blockTimestamp: quantity, transactionIndex: quantity },
      ...{ from: address, hash },
    }),
    signedTransaction,
  ],
}

/** `PendingTransactionInfo` */
export const pendingTransaction: Schema = {
  allOf: [
    open(
      { from: address, hash },
      { blockHash: nothing, blockNumber: nothing, blockTimestamp: nothing, transactionIndex: nothing },
    ),
    signedTransaction,
  ],
}

/** `GenericTransaction` */
export const request = closed(
  {},
  {
    ...{ type: byte, nonce: quantity, to: orNull(address), from: address, gas: quantity, value: quantity, input: bytes },
    ...{ gasPrice: quantity, maxPriorityFeePerGas: quantity, maxFeePerGas: quantity, maxFeePerBlobGas: quantity },
    ...{ accessList, blobVersionedHashes: list(hash), blobs: list(bytes), commitments: list(bytes), proofs: list(bytes) },
    chainId: quantity,
  },
)

const withdrawal = closed({ index: quantity64, validatorIndex: quantity64, address, amount: quantity256 })

const headerFields = {
  ...{ hash, parentHash: hash, sha3Uncles: hash, miner: address, stateRoot: hash, transactionsRoot: hash, receiptsRoot: hash },
  ...{ logsBloom: bytesOf(256), number: quantity, gasLimit: quantity, gasUsed: quantity, timestamp: quantity },
  ...{ extraData: bytes, mixHash: hash, nonce: bytesOf(8), size: quantity },
}

export const block = open(
  {
    ...headerFields,
    transactions: list(either({ type: 'string' }, hash, finalTransaction)),
    uncles: list(hash),
  },
  {
    ...{ difficulty: quantity, baseFeePerGas: quantity, withdrawalsRoot: hash, blobGasUsed: quantity, excessBlobGas: quantity },
    ...{ parentBeaconBlockRoot: hash, withdrawals: list(withdrawal), requestsHash: hash, blockAccessListHash: hash },
  },
)

export const log = closed(
  { transactionHash: hash },
  {
    ...{ removed: flag, logIndex: quantity, transactionIndex: quantity, blockHash: hash, blockNumber: quantity },
    ...{ blockTimestamp: quantity, address, data: bytes, topics: list(hash) },
  },
)

/** `ReceiptInfo` */
export const receipt = closed(
  {
    ...{ blockHash: hash, blockNumber: quantity, from: address, cumulativeGasUsed: quantity, gasUsed: quantity },
    ...{
      logs: list(log),
      logsBloom: bytesOf(256),
      transactionHash: hash,
      transactionIndex: quantity,
      effectiveGasPrice: quantity,
    },
  },
  {
    ...{ type: byte, to: orNull(address), contractAddress: orNull(address), root: hash, status: quantity },
    ...{ blobGasUsed: quantity, blobGasPrice: quantity },
  },
)

const tags = (...names: string[]): Schema => ({ enum: names })
const startsLikeQuantity: Schema = { type: 'string', pattern: '^0x' }
/** `BlockNumberOrTag` */
export const blockNumber = either(startsLikeQuantity, quantity, tags('earliest', 'finalized', 'safe', 'latest', 'pending'))
/** `BlockNumberOrTagOrHash` */
export const blockReference = either({ type: 'string', pattern: '^0x.{64}$' }, hash, blockNumber)
const rangeEnd = either(startsLikeQuantity, quantity, tags('earliest', 'finalized', 'safe', 'latest'))

const topics = orNull(list(orNull(either({ type: 'array' }, list(hash), hash))))
const logSource = { address: orNull(either({ type: 'array' }, list(address), address)), topics }
export const filter = either(
  { required: ['blockHash'] },
  open({ blockHash: hash }, logSource),
  open({}, { fromBlock: rangeEnd, toBlock: rangeEnd, ...logSource }),
)
/** `FilterResults` */
export const filterResults = list(either({ type: 'string' }, hash, log))

export const feeHistory = closed(
  { oldestBlock: quantity, baseFeePerGas: list(quantity), gasUsedRatio: list(ratio) },
  { baseFeePerBlobGas: list(quantity), blobGasUsedRatio: list(ratio), reward: list(list(quantity)) },
)

/** `SyncingStatus` */
export const syncing = either(
  { type: 'object' },
  closed({}, { startingBlock: quantity, currentBlock: quantity, highestBlock: quantity }),
  flag,
)

const whole: Schema = { type: 'integer', minimum: 0 }
const configuration = closed({
  activationTime: { type: 'number' },
  blobSchedule: closed({ baseFeeUpdateFraction: whole, max: whole, target: whole }),
  ...{ chainId: quantity, forkId: bytesOf(4), precompiles: mapOf(address), systemContracts: mapOf(address) },
})
/** `ConfigurationResponse` (EIP-7910) */
export const configurations = closed({ current: configuration, next: orNull(configuration), last: orNull(configuration) })

const resource = closed(
  { disabled: flag },
  { oldestBlock: quantity, deleteStrategy: closed({ type: { const: 'window' }, retentionBlocks: quantity }) },
)
export const capabilities = closed({
  head: closed({ number: quantity, hash }),
  ...{ state: resource, tx: resource, logs: resource, receipts: resource, blocks: resource, stateproofs: resource },
})

const byNonce = mapOf(pendingTransaction)
export const poolStatus = open({ pending: quantity, queued: quantity })
export const poolContent = open({ pending: mapOf(byNonce), queued: mapOf(byNonce) })
export const poolContentFrom = open({ pending: byNonce, queued: byNonce })

const storage = mapOf(hash, '0x[a-fA-F0-9]{64}')
const overriddenAccount = (stored: 'state' | 'stateDiff'): Schema =>
  open({}, { nonce: quantity64, balance: quantity256, code: bytes, movePrecompileToAddress: address, [stored]: storage })
const stateOverrides = mapOf(
  either({ required: ['state'] }, overriddenAccount('state'), overriddenAccount('stateDiff')),
  '0x[a-fA-F0-9]{40}',
)
const blockOverrides = open(
  {},
  {
    ...{ number: quantity64, prevRandao: quantity256, time: quantity64, gasLimit: quantity64, feeRecipient: address },
    ...{ baseFeePerGas: quantity256, withdrawals: list(withdrawal), blobBaseFee: quantity64 },
  },
)
/** `EthSimulatePayload` */
export const simulation = open(
  {
    blockStateCalls: list(open({}, { blockOverrides, stateOverrides, calls: list(open({}, request['properties'] as Members)) })),
  },
  { traceTransfers: flag, validation: flag, returnFullTransactions: flag },
)

const callGas = { returnData: bytes, gasUsed: quantity64 }
const callError = either(
  { properties: { code: { const: 3 } } },
  open({ code: { const: 3 }, message: text('execution reverted.*') }),
  open({ code: { const: -32015 }, message: text('vm execution error.*') }),
)
const callResult = either(
  { properties: { status: { const: '0x0' } } },
  open({ status: text('0x0'), ...callGas, error: callError }, { maxUsedGas: quantity64 }),
  open({ status: text('0x1'), ...callGas, logs: list(log) }, { maxUsedGas: quantity64 }),
)
/** `EthSimulateResult` */
export const simulatedBlocks = list({ allOf: [block, open({ calls: list(callResult) })] })
