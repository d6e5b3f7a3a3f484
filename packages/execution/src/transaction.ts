import {
  type Address,
  type FeePolicy,
  type Gas,
  type Log,
  type Nonce,
  type Transaction,
  U32_MAX,
  utf8ToBytes,
  Wei,
} from '@quoin/protocol'
import type { Account } from './account.ts'
import type { TransactionRefusal } from './executor.ts'
import { effectiveGasPrice, feeOf, maximumCost } from './fees.ts'
import { intrinsicGas } from './intrinsic-gas.ts'
import type { Journal } from './journal.ts'
import { maySend, type SendPolicy } from './system-state.ts'

/** What the parent's state and header lay down for the transactions of a block. */
export interface TransactionRules {
  readonly feePolicy: FeePolicy
  readonly transactionGasMax: Gas
  readonly baseFee: Wei
  readonly sendPolicy: SendPolicy
}

/** What a transaction left behind, its writes to the journal aside. */
export interface TransactionOutcome {
  readonly status: 0 | 1
  readonly gasUsed: number
  readonly logs: readonly Log[]
  /** ABI-encoded error of a failed transaction. */
  readonly errorData: Uint8Array
  readonly contractAddress: Address | undefined
  readonly payer: Address
}

const refusal = (code: TransactionRefusal['code'], message: string): TransactionRefusal => ({ code, message })

/**
 * Whether the rules admit a transaction, whatever its sender's nonce and balance: gas bounds, fee caps, permission to send. The
 * messages begin with the words that viem and ethers look for.
 */
export function checkRules(transaction: Transaction, sender: Address, rules: TransactionRules): TransactionRefusal | undefined {
  const { gasLimit, maxFeePerGas, maxPriorityFeePerGas } = transaction
  if (!maySend(rules.sendPolicy, sender)) return refusal('not-permitted', `sender is not permitted to send: address ${sender}`)
  if (gasLimit > rules.transactionGasMax)
    return refusal('gas-limit-too-high', `gas limit reached: tx gas ${gasLimit}, at most ${rules.transactionGasMax} is allowed`)
  if (maxPriorityFeePerGas > maxFeePerGas)
    return refusal(
      'tip-above-fee',
      `max priority fee per gas higher than max fee per gas: tip ${maxPriorityFeePerGas}, fee ${maxFeePerGas}`,
    )
  if (maxFeePerGas < rules.baseFee)
    return refusal('fee-too-low', `max fee per gas less than block base fee: fee ${maxFeePerGas}, base fee ${rules.baseFee}`)
  const intrinsic = intrinsicGas(transaction)
  if (gasLimit < intrinsic)
    return refusal('intrinsic-gas-too-low', `intrinsic gas too low: tx gas ${gasLimit}, at least ${intrinsic} is needed`)
  return undefined
}

/** Whether a transaction is the next of its sender's account and can be paid. */
export function checkAccount(transaction: Transaction, account: Account, policy: FeePolicy): TransactionRefusal | undefined {
  // EIP-3607: who finds a key for a contract's address cannot use it.
  if (account.codeHash !== undefined) return refusal('not-permitted', 'sender not an eoa: the account has code')
  if (transaction.nonce < account.nonce)
    return refusal('nonce-too-low', `nonce too low: next nonce ${account.nonce}, tx nonce ${transaction.nonce}`)
  if (transaction.nonce > account.nonce)
    return refusal('nonce-too-high', `nonce too high: next nonce ${account.nonce}, tx nonce ${transaction.nonce}`)
  // As EIP-2681, at the bound of this chain.
  if (account.nonce === U32_MAX) return refusal('nonce-too-high', `nonce has max value: ${U32_MAX}`)
  const cost = maximumCost(policy, transaction)
  if (cost > account.balance)
    return refusal('insufficient-funds', `insufficient funds for gas * price + value: have ${account.balance} want ${cost}`)
  return undefined
}

/**
 * Runs a transaction that `checkRules` and `checkAccount` admitted. Fails (status 0, fee charged, value not moved) where a contract
 * would have to run or be created.
 */
export function applyTransaction(
  journal: Journal,
  transaction: Transaction,
  sender: Address,
  rules: TransactionRules,
  feeAddress: Address,
): TransactionOutcome {
  journal.beginTransaction()
  const gasUsed = intrinsicGas(transaction)
  const fee = feeOf(rules.feePolicy, rules.baseFee, gasUsed, effectiveGasPrice(rules.feePolicy, rules.baseFee, transaction))
  const account = journal.account(sender)
  const nonce = (account.nonce + 1) as Nonce
  journal.setAccount(sender, { ...account, nonce, balance: Wei(account.balance - fee.charged) })
  const start = journal.checkpoint()
  const failure = run(journal, transaction, sender)
  if (failure !== undefined) journal.revert(start)
  credit(journal, feeAddress, fee.toProposer)
  return {
    status: failure === undefined ? 1 : 0,
    gasUsed,
    logs: journal.logsSince(start),
    errorData: failure ?? NO_DATA,
    contractAddress: undefined,
    payer: sender,
  }
}

const NO_DATA = new Uint8Array(0)

/** The call itself; returns the error's data when it fails. Data sent to a plain account is ignored. */
function run(journal: Journal, { to, value }: Transaction, sender: Address): Uint8Array | undefined {
  if (to === undefined || journal.account(to).codeHash !== undefined) return CONTRACTS_NOT_SUPPORTED.data
  if (value === 0n) return undefined
  const account = journal.account(sender)
  journal.setAccount(sender, { ...account, balance: Wei(account.balance - value) })
  credit(journal, to, value)
  return undefined
}

function credit(journal: Journal, address: Address, amount: bigint): void {
  if (amount === 0n) return
  const account = journal.account(address)
  journal.setAccount(address, { ...account, balance: Wei(account.balance + amount) })
}

/** ABI encoding of Solidity's `Error(string)`, as viem and ethers decode it. */
export function encodeErrorString(message: string): Uint8Array {
  const text = utf8ToBytes(message)
  const data = new Uint8Array(4 + 64 + 32 * Math.ceil(text.length / 32))
  const view = new DataView(data.buffer)
  view.setUint32(0, 0x08c379a0)
  view.setUint32(4 + 28, 0x20)
  view.setUint32(4 + 60, text.length)
  data.set(text, 4 + 64)
  return data
}

const NOT_SUPPORTED_REASON = 'contracts are not supported by this execution version'

/** How a transaction fails that needs a contract engine. */
export const CONTRACTS_NOT_SUPPORTED = {
  reason: NOT_SUPPORTED_REASON,
  data: encodeErrorString(NOT_SUPPORTED_REASON),
} as const
