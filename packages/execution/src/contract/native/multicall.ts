import { type Abi, type AbiParameter, Address, concatBytes, err, hexToBytes, ok, type Result, ZERO_HASH } from '@quoin/protocol'
import { encodeErrorString } from '../../error-data.ts'
import type { GuestValue } from '../../vm/index.ts'
import { checksumText } from '../abi/address.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import { type Failure, failed, OUT_OF_GAS } from '../failure.ts'
import { keyReadGas } from '../key-gas.ts'
import { MESSAGE_LIMITS } from '../message-limits.ts'
import { nativeFunction as fn, type NativeAction, type NativeCall, type NativeContract } from './native.ts'

/*
 * Multicall3 (github.com/mds1/multicall3, src/Multicall3.sol) with the same ABI, results and errors as on other chains, because
 * libraries batch their reads through it. It is a contract without state that anyone may enter at any time. The contracts that it
 * calls see it as the sender, and get the gas that it may pass on. Value that its callers do not pass on stays in it, and the
 * next caller may take it.
 *
 * Differences: when a call failed for lack of gas, balance or depth, its data is this chain's `Error(string)` and not empty. The
 * same holds for calldata or value that its functions do not accept. Values that this chain does not have (proof of work, block
 * hashes during execution) are 0, as the EVM returns for unknown blocks.
 */

/** Address of Multicall3 on every chain that has it. */
export const MULTICALL_ADDRESS = Address('0xca11bde05977b3631167028862be2a173976ca11')

const TARGET = { name: 'target', type: 'address' }
const ALLOW_FAILURE = { name: 'allowFailure', type: 'bool' }
const CALL_DATA = { name: 'callData', type: 'bytes' }
const REQUIRE_SUCCESS = { name: 'requireSuccess', type: 'bool' }
const BLOCK_NUMBER = { name: 'blockNumber', type: 'uint256' }
const BLOCK_HASH = { name: 'blockHash', type: 'bytes32' }

const calls = (...components: readonly AbiParameter[]): AbiParameter => ({ name: 'calls', type: 'tuple[]', components })
const CALLS = calls(TARGET, CALL_DATA)
const RESULTS: AbiParameter = {
  name: 'returnData',
  type: 'tuple[]',
  components: [
    { name: 'success', type: 'bool' },
    { name: 'returnData', type: 'bytes' },
  ],
}

const aggregating = (name: string, inputs: readonly AbiParameter[], outputs: readonly AbiParameter[]) =>
  fn(name, 'payable', inputs, outputs)
const answering = (name: string, output: string, type: string, ...inputs: readonly AbiParameter[]) =>
  fn(name, 'view', inputs, [{ name: output, type }])

export const MULTICALL_ABI: Abi = [
  aggregating('aggregate', [CALLS], [BLOCK_NUMBER, { name: 'returnData', type: 'bytes[]' }]),
  aggregating('tryAggregate', [REQUIRE_SUCCESS, CALLS], [RESULTS]),
  aggregating('tryBlockAndAggregate', [REQUIRE_SUCCESS, CALLS], [BLOCK_NUMBER, BLOCK_HASH, RESULTS]),
  aggregating('blockAndAggregate', [CALLS], [BLOCK_NUMBER, BLOCK_HASH, RESULTS]),
  aggregating('aggregate3', [calls(TARGET, ALLOW_FAILURE, CALL_DATA)], [RESULTS]),
  aggregating('aggregate3Value', [calls(TARGET, ALLOW_FAILURE, { name: 'value', type: 'uint256' }, CALL_DATA)], [RESULTS]),
  answering('getBlockHash', 'blockHash', 'bytes32', BLOCK_NUMBER),
  answering('getBlockNumber', 'blockNumber', 'uint256'),
  answering('getCurrentBlockCoinbase', 'coinbase', 'address'),
  answering('getCurrentBlockDifficulty', 'difficulty', 'uint256'),
  answering('getCurrentBlockGasLimit', 'gaslimit', 'uint256'),
  answering('getCurrentBlockTimestamp', 'timestamp', 'uint256'),
  answering('getEthBalance', 'balance', 'uint256', { name: 'addr', type: 'address' }),
  answering('getLastBlockHash', 'blockHash', 'bytes32'),
  answering('getBasefee', 'basefee', 'uint256'),
  answering('getChainId', 'chainid', 'uint256'),
]

/** One aggregated call. A member that a function's struct does not have gets its default in `aggregate`. */
interface Request {
  readonly target: string
  readonly callData: Uint8Array
  readonly allowFailure?: boolean
  readonly value?: bigint
}

interface Answered {
  readonly [member: string]: GuestValue
  readonly success: boolean
  readonly returnData: Uint8Array
}

const CALL_FAILED = 'Multicall3: call failed'

const CALL_FAILED_DATA = encodeErrorString(CALL_FAILED)
/** `aggregate3Value` reverts with one more word of memory, which is zero there: `revert(0x00, 0x84)` instead of 0x64. */
const CALL_FAILED_PADDED_DATA = concatBytes(CALL_FAILED_DATA, new Uint8Array(32))

/** Sends the calls in order. A failure that is not allowed undoes all of them. */
function aggregate(
  { machine, meter, isStatic, host }: NativeCall,
  requests: readonly Request[],
  allowFailures = false,
  failureData = CALL_FAILED_DATA,
): Result<readonly Answered[], Failure> {
  const { length } = requests
  if (length > MESSAGE_LIMITS.aggregatedCallsMax)
    return failed(`Multicall3: ${length} calls, at most ${MESSAGE_LIMITS.aggregatedCallsMax} can be aggregated`)
  const answers: Answered[] = []
  for (const { target, callData, allowFailure = allowFailures, value = 0n } of requests) {
    if (!meter.take(CONTRACT_GAS.call.base)) return OUT_OF_GAS
    const sender = { address: MULTICALL_ADDRESS, gasLeft: meter.left, isStatic }
    const to = Address(target.toLowerCase())
    const outcome = machine.send(sender, { to, value, data: callData, gas: undefined, isStatic: false }, host)
    meter.count(outcome.gasUsed)
    if (!outcome.ok && !allowFailure) {
      const { error, trace } = outcome
      return err({ reason: CALL_FAILED, data: failureData, error, trace })
    }
    if (!meter.take(CONTRACT_GAS.call.byte * outcome.data.length)) return OUT_OF_GAS
    answers.push({ success: outcome.ok, returnData: outcome.data })
  }
  return ok(answers)
}

const requestsAt = ({ values }: NativeCall, position: number): readonly Request[] =>
  values[position] as unknown as readonly Request[]

/** Contracts cannot see any block hash. */
const UNKNOWN_HASH = hexToBytes(ZERO_HASH)

/** Puts number and hash of the block in front of the results. */
function withBlock({ machine }: NativeCall, results: ReturnType<typeof aggregate>): Result<GuestValue, Failure> {
  return results.ok ? ok([BigInt(machine.block.number), UNKNOWN_HASH, results.value]) : results
}

/** Reverts unless the calls' values sum up to the value that was sent. The sum wraps like Solidity's unchecked addition. */
const aggregate3Value: NativeAction = (call) => {
  const requests = requestsAt(call, 0)
  const results = aggregate(call, requests, false, CALL_FAILED_PADDED_DATA)
  if (!results.ok) return results
  const sum = requests.reduce((total, { value = 0n }) => total + value, 0n)
  return BigInt.asUintN(256, sum) === call.value ? results : failed('Multicall3: value mismatch')
}

const getEthBalance: NativeAction = ({ machine, meter, values }) => {
  const { journal } = machine
  const account = Address((values[0] as string).toLowerCase())
  if (!meter.take(CONTRACT_GAS.account.base + keyReadGas(journal.accountUse(account)))) return OUT_OF_GAS
  return ok(journal.account(account).balance)
}

/** Multicall3. On other chains it is EVM bytecode. */
export const MULTICALL: NativeContract = {
  name: 'multicall',
  address: MULTICALL_ADDRESS,
  abi: MULTICALL_ABI,
  actions: {
    aggregate(call) {
      const results = aggregate(call, requestsAt(call, 0))
      if (!results.ok) return results
      return ok([BigInt(call.machine.block.number), results.value.map(({ returnData }) => returnData)])
    },
    tryAggregate: (call) => aggregate(call, requestsAt(call, 1), call.values[0] === false),
    tryBlockAndAggregate: (call) => withBlock(call, aggregate(call, requestsAt(call, 1), call.values[0] === false)),
    blockAndAggregate: (call) => withBlock(call, aggregate(call, requestsAt(call, 0))),
    aggregate3: (call) => aggregate(call, requestsAt(call, 0)),
    aggregate3Value,
    getBlockHash: () => ok(UNKNOWN_HASH),
    getBlockNumber: ({ machine }) => ok(BigInt(machine.block.number)),
    getCurrentBlockCoinbase: ({ machine: { contracts, block } }) => ok(checksumText(contracts.crypto, block.proposer)),
    getCurrentBlockDifficulty: () => ok(0n),
    getCurrentBlockGasLimit: ({ machine }) => ok(BigInt(machine.block.gasLimit)),
    getCurrentBlockTimestamp: ({ machine }) => ok(BigInt(Math.floor(machine.block.timeMs / 1000))),
    getEthBalance,
    getLastBlockHash: () => ok(UNKNOWN_HASH),
    getBasefee: ({ machine }) => ok(machine.block.baseFee),
    getChainId: ({ machine }) => ok(BigInt(machine.contracts.chainId)),
  },
}
