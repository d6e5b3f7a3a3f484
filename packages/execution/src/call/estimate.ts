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
  /** Not even as much gas as is allowed suffices. */
  | { readonly kind: 'allowance'; readonly allowance: number }
  | Extract<CallResult, { kind: 'reverted' }>
  | CallRefusal

/**
 * `eth_estimateGas`: a gas limit with which the call's transaction does what it does with all the gas that is allowed: it succeeds, and each
 * inner message ends as it ended there. Success alone would not do: a contract that goes on after the failure of an inner call succeeds
 * as well with a limit that leaves the inner call too little, and then the transaction silently does less. What a contract does by asking
 * how much gas is left shows only where a message ends otherwise.
 *
 * The answer is what the run with all the gas used, unless that is too little to do the same; then one unit less than the answer does not
 * do it. Allowed is what the chain allows a transaction, what the call itself wants at most, and what the sender's balance pays at its price.
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
  if (outcome.kind === 'out-of-gas') return { kind: 'allowance', allowance }
  if (outcome.kind !== 'returned') return outcome
  // The course of a run begins and ends with the call itself, so that of one that fails is another.
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

/** Less than the least transaction is no bound that anybody means, in geth neither. */
const wantedGas = ({ gas }: Call): number | undefined => (gas === undefined || gas < GAS.transaction ? undefined : gas)
