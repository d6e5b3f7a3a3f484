import type { Gas } from '@quoin/protocol'
import { GAS, intrinsicGas } from '../block/intrinsic-gas.ts'
import { readParameters } from '../state/system-records.ts'
import {
  type Call,
  type CallHost,
  type CallRefusal,
  type CallRequest,
  type CallResult,
  type CallState,
  refusalOf,
  withState,
} from './call.ts'
import { leastGas } from './least-gas.ts'

export type EstimateOutcome =
  | { readonly kind: 'estimated'; readonly gas: Gas }
  /** Even the allowed gas is not enough. `detail`: what used it up, for people. */
  | { readonly kind: 'allowance'; readonly allowance: number; readonly detail?: string | undefined }
  | Extract<CallResult, { kind: 'reverted' }>
  | CallRefusal

/**
 * `eth_estimateGas`: finds a gas limit with which the call does the same as with all the gas that is allowed: it succeeds, and
 * each inner message ends in the same way. Success alone is not enough. A contract that continues after a failed inner call also
 * succeeds with a limit that leaves too little for the inner call, and then the transaction silently does less. If a contract
 * reads the remaining gas, this is noticed only if a message ends differently.
 *
 * The result is the gas that the run with all the gas used. If that is too little to do the same, it is a limit that does, and
 * one gas less does not. The allowed gas is the minimum of the chain's limit for a transaction, the call's own limit, and what
 * the sender's balance pays at its price.
 */
export const estimateGas = (host: CallHost, request: CallRequest): Promise<EstimateOutcome> =>
  withState(host, request, (state) => refusalOf(request.call, state) ?? estimateOn(request, state))

function estimateOn(request: CallRequest, state: CallState): EstimateOutcome {
  const { call } = request
  const allowance = allowanceOf(request, state)
  const intrinsic = intrinsicGas(call)
  if (allowance < intrinsic) return { kind: 'allowance', allowance }
  // A plain transfer: the value can be paid, so it succeeds.
  if (!state.runsCode) return { kind: 'estimated', gas: intrinsic as Gas }
  const { outcome, course } = state.run(allowance)
  if (outcome.kind === 'out-of-gas') return { kind: 'allowance', allowance, detail: outcome.detail }
  if (outcome.kind !== 'returned') return outcome
  // The course includes the call itself, so a failed run has a different course.
  const gas = leastGas(outcome.gasUsed, allowance, (limit) => (state.run(limit).course === course ? 'does' : 'does-not'))
  return { kind: 'estimated', gas: gas as Gas }
}

function allowanceOf({ call, gasMax }: CallRequest, { reader, balance }: CallState): number {
  const { transactionGasMax, feePolicy } = readParameters(reader).value
  const wanted = wantedGas(call)
  const most = Math.min(transactionGasMax, gasMax, wanted ?? gasMax)
  if (feePolicy === 'free' || call.maxFeePerGas === 0n) return most
  const payable = (balance - call.value) / call.maxFeePerGas
  return payable < BigInt(most) ? Number(payable) : most
}

/** A limit below the cheapest transaction is ignored, as in geth. */
const wantedGas = ({ gas }: Call): number | undefined => (gas === undefined || gas < GAS.transaction ? undefined : gas)
