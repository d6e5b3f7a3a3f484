import { type ChainParameters, err, type Gas, ok, type Result, type Transaction } from '@quoin/protocol'
import type { TransactionRefusal } from './executor.ts'
import { intrinsicGas } from './intrinsic-gas.ts'
import { CONTRACTS_NOT_SUPPORTED } from './transaction.ts'

/** What `eth_estimateGas` and `eth_call` ask. Nonce, gas and fees do not matter to them. */
export type Call = Pick<Transaction, 'to' | 'data' | 'value' | 'accessList'>

export type EstimateRefusal =
  | TransactionRefusal
  | {
      readonly code: 'execution-reverted'
      readonly message: string
      /** ABI-encoded error. */
      readonly data: Uint8Array
    }

/** What a call would meet. */
export interface CallState {
  /** Undefined when the caller's balance shall not be checked. */
  readonly senderBalance: bigint | undefined
  readonly recipientHasCode: boolean
  readonly parameters: Pick<ChainParameters, 'transactionGasMax'>
}

/** Gas that a call to a plain account uses: exactly what its transaction will, so that it may be its gas limit. */
export function estimateTransfer(call: Call, state: CallState): Result<Gas, EstimateRefusal> {
  if (call.to === undefined || state.recipientHasCode) {
    const { reason, data } = CONTRACTS_NOT_SUPPORTED
    return err({ code: 'execution-reverted', message: `execution reverted: ${reason}`, data })
  }
  if (state.senderBalance !== undefined && call.value > state.senderBalance) {
    const message = `insufficient funds for transfer: have ${state.senderBalance} want ${call.value}`
    return err({ code: 'insufficient-funds', message })
  }
  const gas = intrinsicGas(call)
  if (gas > state.parameters.transactionGasMax) {
    const message = `gas limit reached: ${gas} is needed, at most ${state.parameters.transactionGasMax} is allowed`
    return err({ code: 'gas-limit-too-high', message })
  }
  return ok(gas as Gas)
}
