import type { BlockOverrides, Call, CallRequest, CallResult, StateOverrides } from '@quoin/execution'
import { bytesToHex, type Result } from '@quoin/protocol'
import type { CallKind, CallOutcomes, CallUnavailable } from '../../executor/call-runner.ts'
import type { RpcBackend } from '../backend.ts'
import { requireHeight } from '../blocks.ts'
import { blockOverrides, callObject, stateOverrides } from '../call-schema.ts'
import { invalidParams, RPC_CODE, RpcError } from '../errors.ts'
import { quantityHex } from '../format.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { type BlockReference, blockReference } from '../schema.ts'
import { stateOf } from './state.ts'

export type CallParams = [Call, BlockReference, StateOverrides, BlockOverrides]

/** Where and with what a call runs. `latest` and `pending` are the head itself, as geth has it for `latest`. */
function requestOf(backend: RpcBackend, [call, reference, state, block]: CallParams, { limits }: CallContext): CallRequest {
  stateOf(backend, reference)
  const { header } = backend.blocks.header(requireHeight(backend, reference))!
  return {
    call,
    block: {
      number: header.number,
      timeMs: header.timeMs,
      proposer: header.miner,
      gasLimit: header.gasLimit,
      baseFee: header.baseFeePerGas,
    },
    stateOverrides: state,
    blockOverrides: block,
    gasMax: limits.callGasMax,
  }
}

/** The outcome of a call that ran. */
async function outcomeOf<K extends CallKind>(
  kind: K,
  backend: RpcBackend,
  params: CallParams,
  context: CallContext,
): Promise<Exclude<CallOutcomes[K], { kind: 'refused' | 'reverted' }>> {
  const answer: Result<CallOutcomes[K], CallUnavailable> = await backend.calls.run(
    kind,
    requestOf(backend, params, context),
    context.signal,
    context.identity,
  )
  if (!answer.ok)
    throw new RpcError(answer.error.code === 'overloaded' ? RPC_CODE.limitExceeded : RPC_CODE.server, answer.error.message)
  const outcome: CallOutcomes[CallKind] = answer.value
  if (outcome.kind === 'reverted') throw new CallReverted(outcome)
  if (outcome.kind === 'refused')
    throw outcome.code === 'invalid-override' ? invalidParams(outcome.message) : new RpcError(RPC_CODE.server, outcome.message)
  return outcome as Exclude<CallOutcomes[K], { kind: 'refused' | 'reverted' }>
}

/** Solidity's `Error(string)`: the one error whose words are for everybody. */
const ERROR_SELECTOR = '0x08c379a0'

/** A call that reverted. viem, ethers and Ponder look for code 3, these words and the data in hex. */
export class CallReverted extends RpcError {
  readonly outcome: Extract<CallResult, { kind: 'reverted' }>

  constructor(outcome: CallReverted['outcome']) {
    const { data, reason } = outcome
    const hex = bytesToHex(data)
    const words = hex.startsWith(ERROR_SELECTOR) && reason !== '' ? `: ${reason}` : ''
    super(RPC_CODE.reverted, `execution reverted${words}`, hex)
    this.outcome = outcome
  }
}

/** What a call returns. Throws RpcError where it fails. */
export async function call(backend: RpcBackend, params: CallParams, context: CallContext): Promise<string> {
  const outcome = await outcomeOf('call', backend, params, context)
  if (outcome.kind === 'returned') return bytesToHex(outcome.data)
  throw new RpcError(RPC_CODE.server, `out of gas: the call used up ${outcome.gasUsed}`)
}

/** Gas with which a call does what it does with plenty of it, as a quantity. Throws RpcError where it fails with all that is allowed. */
export async function estimateGas(backend: RpcBackend, params: CallParams, context: CallContext): Promise<string> {
  const outcome = await outcomeOf('estimate', backend, params, context)
  if (outcome.kind === 'estimated') return quantityHex(outcome.gas)
  throw new RpcError(RPC_CODE.server, `gas required exceeds allowance (${outcome.allowance})`)
}

export const callParameters = [callObject, blockReference, stateOverrides, blockOverrides] as const

/** Calls that change nothing. */
export const callMethods: Methods<RpcBackend> = {
  eth_call: method(callParameters, call),
  eth_estimateGas: method(callParameters, estimateGas),
}
