import type { BlockOverrides, Call, CallRefusal, CallRequest, CallResult, StateOverrides } from '@quoin/execution'
import { bytesToHex, type Result, signingPreimage, type UnsignedTransaction } from '@quoin/protocol'
import type { CallOutcomes, CallUnavailable } from '../../executor/call-runner.ts'
import type { RpcBackend } from '../backend.ts'
import { blockContextOf } from '../block-context.ts'
import { requireHeight } from '../blocks.ts'
import { blockOverrides, callObject, stateOverrides } from '../call-schema.ts'
import { RpcError, type Where } from '../errors.ts'
import { fillTransaction, formatUnsigned, type TransactionRequest, transactionRequest } from '../fill.ts'
import { quantityHex } from '../format.ts'
import * as forms from '../forms/index.ts'
import { type JsonText, takeText } from '../json-text.ts'
import { type CallContext, type Method, type Methods, method } from '../method.ts'
import { revertMessage } from '../reverts.ts'
import { type BlockReference, blockReference } from '../schema.ts'
import { nextNonce, stateOf } from './state.ts'

export type CallParams = [Call, BlockReference, StateOverrides, BlockOverrides]

/** The block, state and limits of a call. `latest` and `pending` mean the head block itself, as `latest` does in geth. */
function requestOf(backend: RpcBackend, [call, reference, state, block]: CallParams, { limits }: CallContext): CallRequest {
  stateOf(backend, reference)
  const { header } = backend.blocks.header(requireHeight(backend, reference))!
  return {
    call,
    block: blockContextOf(header),
    stateOverrides: state,
    blockOverrides: block,
    gasMax: limits.callGasMax,
  }
}

/** The error for a call that has no outcome. */
export const unavailable = ({ code, message }: CallUnavailable, where: Where = 'calls'): RpcError =>
  new RpcError(code === 'closed' ? 'stopping' : code, message, undefined, where)

const refusalError = ({ code, message }: CallRefusal): RpcError =>
  new RpcError(code === 'too-large' ? 'answer-too-large' : code, message, undefined, 'calls')

/** Runs a call. Throws RpcError if it could not run, was refused or reverted. */
async function outcomeOf<K extends 'call' | 'estimate'>(
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
  if (!answer.ok) throw unavailable(answer.error)
  const outcome: CallOutcomes['call' | 'estimate'] = answer.value
  if (outcome.kind === 'reverted') throw new CallReverted(outcome)
  if (outcome.kind === 'refused') throw refusalError(outcome)
  return outcome as Exclude<CallOutcomes[K], { kind: 'refused' | 'reverted' }>
}

/** A call that reverted. viem, ethers and Ponder rely on code 3, the words `execution reverted`, and the data in hex. */
export class CallReverted extends RpcError {
  readonly outcome: Extract<CallResult, { kind: 'reverted' }>

  constructor(outcome: CallReverted['outcome'], message = revertMessage(outcome)) {
    super('reverted', message, bytesToHex(outcome.data))
    this.outcome = outcome
  }
}

/** A call that used up its gas. `outcome.detail` and `outcome.trace` tell where, as far as the node's interpreter records that. */
export class CallOutOfGas extends RpcError {
  readonly outcome: Extract<CallResult, { kind: 'out-of-gas' }>

  constructor(outcome: CallOutOfGas['outcome'], message = outOfGasMessage(outcome)) {
    super('out-of-gas', message)
    this.outcome = outcome
  }
}

const behind = (detail: string | undefined): string => (detail === undefined ? '' : `: ${detail}`)

const outOfGasMessage = ({ gasUsed, detail }: CallOutOfGas['outcome']): string =>
  `out of gas: the call used all of its ${gasUsed} gas${behind(detail)}`

/** The return data of a call in hex. Throws RpcError if the call fails. */
export async function call(backend: RpcBackend, params: CallParams, context: CallContext): Promise<JsonText> {
  const outcome = await outcomeOf('call', backend, params, context)
  if (outcome.kind === 'out-of-gas') throw new CallOutOfGas(outcome)
  return takeText(outcome.pieces, context)
}

/** Estimates the gas that a call needs, as a quantity. Throws RpcError if the call fails even with the maximum gas. */
export async function estimateGas(backend: RpcBackend, params: CallParams, context: CallContext): Promise<string> {
  const outcome = await outcomeOf('estimate', backend, params, context)
  if (outcome.kind === 'estimated') return quantityHex(outcome.gas)
  throw new RpcError('out-of-gas', `gas required exceeds allowance (${outcome.allowance})${behind(outcome.detail)}`)
}

/**
 * The access list that makes a call cheapest, and the gas that the call uses with it. On this chain it is empty: an access list makes nothing
 * warm (docs/gas.md), so each entry only costs gas.
 */
async function createAccessList(backend: RpcBackend, [given, ...rest]: CallParams, context: CallContext) {
  const accessList: Call['accessList'] = []
  const answer = (gasUsed: number, error?: string) => ({
    accessList,
    ...(error === undefined ? {} : { error }),
    gasUsed: quantityHex(gasUsed),
  })
  try {
    const outcome = await outcomeOf('call', backend, [{ ...given, accessList }, ...rest], context)
    return answer(outcome.gasUsed, outcome.kind === 'out-of-gas' ? 'out of gas' : undefined)
  } catch (failure) {
    // A call that fails has an access list too.
    if (failure instanceof CallReverted) return answer(failure.outcome.gasUsed, failure.message)
    throw failure
  }
}

/** How `filling` estimates gas. */
export type Estimate<Backend> = (backend: Backend, params: CallParams, context: CallContext) => Promise<string>

/**
 * Completes a transaction with what the node knows.
 *
 * @param nonce - Called if the request has none.
 */
export const complete = <Backend extends RpcBackend>(
  backend: Backend,
  request: TransactionRequest,
  context: CallContext,
  { nonce, estimate }: { readonly nonce: () => Promise<number>; readonly estimate: Estimate<Backend> },
): Promise<UnsignedTransaction> =>
  fillTransaction(request, {
    chainId: backend.chainId,
    baseFee: backend.nextBaseFee(),
    nonce,
    gas: async () => Number(await estimate(backend, [request, { tag: 'latest' }, new Map(), {}], context)),
  })

const FILLING = {
  summary: 'Completes a transaction for its sender to sign.',
  params: ['transaction'],
  result: forms.filledTransaction,
} as const

/** `eth_fillTransaction`: completes a transaction for its sender's wallet. `raw` is what the sender signs the hash of. */
export const filling = <Backend extends RpcBackend>(estimate: Estimate<Backend>): Method<Backend> =>
  method(FILLING, [transactionRequest], async (backend: Backend, [request], context) => {
    const { from } = request
    const filled = await complete(backend, request, context, { nonce: () => nextNonce(backend, from), estimate })
    return { raw: bytesToHex(signingPreimage(filled)), tx: formatUnsigned(filled, from) }
  })

export const callParameters = [callObject, blockReference, stateOverrides, blockOverrides] as const
const CALL_PARAMS = ['call', 'block', 'stateOverrides', 'blockOverrides'] as const

/** Signatures of the methods with `callParameters`. */
export const callSignatures = {
  eth_call: { summary: 'What a call returns.', params: CALL_PARAMS, result: forms.bytes },
  eth_estimateGas: { summary: 'The gas that a call needs.', params: CALL_PARAMS, result: forms.quantity },
  eth_createAccessList: {
    summary: 'The access list that makes a call cheapest, and the gas of the call with it.',
    params: CALL_PARAMS,
    result: forms.createdAccessList,
  },
} as const

/** Read-only calls. */
export const callMethods: Methods<RpcBackend> = {
  eth_call: method(callSignatures.eth_call, callParameters, call),
  eth_estimateGas: method(callSignatures.eth_estimateGas, callParameters, estimateGas),
  eth_createAccessList: method(callSignatures.eth_createAccessList, callParameters, createAccessList),
  eth_fillTransaction: filling(estimateGas),
}
