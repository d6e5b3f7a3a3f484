import {
  address,
  byte,
  bytes,
  closed,
  either,
  flag,
  hash,
  list,
  mapOf,
  open,
  orNull,
  quantity,
  type Schema,
  string,
  text,
  uint64,
  uint256,
  withdrawal,
} from '../../../packages/node/src/rpc/forms/index.ts'

/**
 * The forms of parameters of Ethereum's JSON-RPC, written after the OpenRPC document of ethereum/execution-apis, commit
 * 033ca6e69da000445840d2060ff47e5e56172a86 of 2026-08-06 (CC0-1.0): `src/schemas/*.yaml`. What the node's own forms of parameters differ
 * in is what it takes beyond these. Its forms of results are written after the same document (`packages/node/src/rpc/forms`).
 *
 * One form says what that document means and does not say: the members of `BlockStateCalls` are those of its items.
 */

type Members = Readonly<Record<string, Schema>>

export const bytesMax32 = text('0x[0-9a-f]{0,64}')

/** Options of a trace, without those of the struct logger. */
export const traceOptions = open({}, { tracer: string, tracerConfig: open({}), timeout: string })

const accessList = list(closed({ address, storageKeys: list(hash) }))

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
const storage = mapOf(hash, '0x[a-fA-F0-9]{64}')
const overriddenAccount = (stored: 'state' | 'stateDiff'): Schema =>
  open({}, { nonce: uint64, balance: uint256, code: bytes, movePrecompileToAddress: address, [stored]: storage })
const stateOverrides = mapOf(
  either({ required: ['state'] }, overriddenAccount('state'), overriddenAccount('stateDiff')),
  '0x[a-fA-F0-9]{40}',
)
const blockOverrides = open(
  {},
  {
    ...{ number: uint64, prevRandao: uint256, time: uint64, gasLimit: uint64, feeRecipient: address },
    ...{ baseFeePerGas: uint256, withdrawals: list(withdrawal), blobBaseFee: uint64 },
  },
)
/** `EthSimulatePayload` */
export const simulation = open(
  {
    blockStateCalls: list(open({}, { blockOverrides, stateOverrides, calls: list(open({}, request['properties'] as Members)) })),
  },
  { traceTransfers: flag, validation: flag, returnFullTransactions: flag },
)
