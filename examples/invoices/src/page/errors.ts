import { NodesFailedError, SendError, type SendReason } from '@quoin/sdk'
import { BaseError, type ContractErrorName, ContractFunctionRevertedError } from 'viem'
import type { ledgerAbi } from '../ledger.ts'
import { money } from './format.ts'

type Words = { readonly [name in ContractErrorName<typeof ledgerAbi>]?: (args: readonly unknown[]) => string }

/** The ledger's errors in plain words, as far as this page can cause them. */
const words: Words = {
  MissingRole: () => 'You have no role for this.',
  InvoiceState: () => 'The invoice is in another state by now.',
  Overpaid: ([, , open]) => `Only ${money(open as bigint)} is open.`,
  InvalidAmount: () => 'The amount must be more than zero.',
  InvalidTerms: ([member]) => `The terms do not fit: ${String(member)}.`,
  OtherTerms: () => 'There is another order with this name.',
  OrderState: () => 'The order is in another state by now.',
  TooLate: () => 'The deadline of this step has passed.',
  TooEarly: () => 'The deadline has not passed yet.',
  CreditExceeded: ([, , , limit]) => `The buyer's credit of ${money(limit as bigint)} does not allow it.`,
  ERC20InsufficientBalance: ([, balance]) => `The account has only ${money(balance as bigint)}.`,
  ERC20InsufficientAllowance: () => 'The account has not allowed the ledger to take so much.',
}

const sendWords: { readonly [reason in SendReason]?: string } = {
  expired: 'It was not included in time, and never will be. Try again.',
  cancelled: 'It was cancelled before it left.',
  'nonce-taken': 'Another program sends with the same key, and was faster.',
  store: 'The browser could not store it.',
}

/** What went wrong, for the user. */
export function explain(error: unknown): string {
  if (!(error instanceof BaseError)) return error instanceof Error ? error.message : String(error)
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError)
  if (reverted instanceof ContractFunctionRevertedError && reverted.data !== undefined) {
    const { errorName, args = [] } = reverted.data
    return words[errorName as keyof Words]?.(args) ?? `The ledger refused it: ${errorName}.`
  }
  if (error.walk((cause) => cause instanceof NodesFailedError) !== null) return 'No node of the chain answers.'
  if (error instanceof SendError) return sendWords[error.reason] ?? error.shortMessage
  return error.shortMessage
}
