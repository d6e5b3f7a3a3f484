import type { Gas } from '@quoin/protocol'
import { GAS, intrinsicGas } from '../intrinsic-gas.ts'
import { readParameters } from '../system-state.ts'
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
 * `eth_estimateGas`: a gas limit with which the call's transaction would succeed while one unit less would fail, both tried. What counts
 * is success alone, as for Ethereum's nodes: a contract that goes on after the failure of an inner call succeeds when that runs out of gas.
 * Allowed is what the chain allows a transaction, what the call itself wants at most, and what the sender's balance pays at its price.
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
  const most = state.run(allowance)
  if (most.kind === 'out-of-gas') return { kind: 'allowance', allowance }
  if (most.kind !== 'returned') return most
  const gas = leastGas(intrinsic - 1, allowance, most.gasUsed, (limit) =>
    state.run(limit).kind === 'returned' ? 'succeeds' : 'fails',
  )
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
