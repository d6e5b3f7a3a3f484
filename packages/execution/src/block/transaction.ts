import {
  type Account,
  type Address,
  emptyBytes,
  type FeePolicy,
  type Gas,
  type Log,
  type Nonce,
  type Transaction,
  U32_MAX,
  type UnsignedTransaction,
  Wei,
} from '@quoin/protocol'
import { OUT_OF_GAS_REASON } from '../contract/failure.ts'
import type { Machine } from '../contract/machine.ts'
import type { Message, MessageOutcome } from '../contract/message.ts'
import type { TransactionRefusal } from '../executor.ts'
import { credit } from '../state/credit.ts'
import type { Creation } from '../state/journal.ts'
import { SYSTEM_ADDRESS } from '../state/system-records.ts'
import { assertTicks, gasUsedOf, ticksOf } from '../ticks.ts'
import { effectiveGasPrice, feeOf, maximumCost } from './fees.ts'
import { intrinsicGas } from './intrinsic-gas.ts'
import { LANE } from './lane.ts'
import type { Sending } from './sending.ts'

/** Rules for the transactions of a block, given by its parent's state and header. */
export interface TransactionRules {
  readonly feePolicy: FeePolicy
  readonly transactionGasMax: Gas
  readonly baseFee: Wei
  readonly sending: Sending
}

/** Outcome of a transaction, without its writes to the journal. */
export interface TransactionOutcome {
  readonly status: 0 | 1
  /** In gas, intrinsic gas included. */
  readonly gasUsed: number
  readonly logs: readonly Log[]
  /** ABI-encoded error of a failed transaction; empty for a successful one. */
  readonly errorData: Uint8Array
  readonly contractAddress: Address | undefined
  /** The sender; `SYSTEM_ADDRESS` for a transaction that the lane spared a fee. */
  readonly payer: Address
  /** Contracts that the transaction created, those of other contracts included. Not part of the receipt. */
  readonly creations: readonly Creation[]
  /** Why the transaction failed, for people. */
  readonly failure: TransactionFailure | undefined
}

/** Why a transaction failed, with the reason as text and the contracts' stack traces, which the receipt does not contain. */
export type TransactionFailure = Pick<Extract<MessageOutcome, { ok: false }>, 'data' | 'reason' | 'trace' | 'detail'>

const refusal = (code: TransactionRefusal['code'], message: string): TransactionRefusal => ({ code, message })

/**
 * Checks a transaction against the rules, without its sender's nonce and balance: gas limits, fee caps, permission to send. The
 * messages begin with the phrases that viem and ethers match.
 *
 * @returns the refusal, or undefined when the transaction is allowed
 */
export function checkRules(
  transaction: UnsignedTransaction,
  sender: Address,
  rules: TransactionRules,
): TransactionRefusal | undefined {
  const { gasLimit, maxFeePerGas, maxPriorityFeePerGas } = transaction
  if (rules.sending.usesLane(transaction, sender)) return checkLane(transaction)
  const notPermitted = rules.sending.refusal(sender)
  if (notPermitted !== undefined) return notPermitted
  if (gasLimit > rules.transactionGasMax)
    return refusal('gas-limit-too-high', `gas limit reached: tx gas ${gasLimit}, at most ${rules.transactionGasMax} is allowed`)
  if (maxPriorityFeePerGas > maxFeePerGas)
    return refusal(
      'tip-above-fee',
      `max priority fee per gas higher than max fee per gas: tip ${maxPriorityFeePerGas}, fee ${maxFeePerGas}`,
    )
  if (maxFeePerGas < rules.baseFee)
    return refusal('fee-too-low', `max fee per gas less than block base fee: fee ${maxFeePerGas}, base fee ${rules.baseFee}`)
  return checkIntrinsic(transaction)
}

/** A transaction of the lane pays nothing, so only its own gas limit is bounded. */
function checkLane(transaction: UnsignedTransaction): TransactionRefusal | undefined {
  const { gasLimit } = transaction
  if (gasLimit > LANE.transactionGasMax)
    return refusal(
      'gas-limit-too-high',
      `gas limit reached: tx gas ${gasLimit}, at most ${LANE.transactionGasMax} is allowed for a transaction to the governor or the chain contract`,
    )
  return checkIntrinsic(transaction)
}

function checkIntrinsic(transaction: UnsignedTransaction): TransactionRefusal | undefined {
  const intrinsic = intrinsicGas(transaction)
  if (transaction.gasLimit >= intrinsic) return undefined
  return refusal(
    'intrinsic-gas-too-low',
    `intrinsic gas too low: tx gas ${transaction.gasLimit}, at least ${intrinsic} is needed`,
  )
}

/** Under which fee policy a transaction is charged: the lane is free under each. */
export const chargedPolicy = (policy: FeePolicy, isLane: boolean): FeePolicy => (isLane ? 'free' : policy)

/**
 * Checks that a transaction has its sender's next nonce and can be paid.
 *
 * @returns the refusal, or undefined when the transaction is allowed
 */
export function checkAccount(
  transaction: UnsignedTransaction,
  account: Account,
  policy: FeePolicy,
): TransactionRefusal | undefined {
  // EIP-3607: a key found for a contract's address must not work.
  if (account.codeHash !== undefined) return refusal('not-permitted', 'sender not an eoa: the account has code')
  if (transaction.nonce < account.nonce)
    return refusal('nonce-too-low', `nonce too low: next nonce ${account.nonce}, tx nonce ${transaction.nonce}`)
  if (transaction.nonce > account.nonce)
    return refusal('nonce-too-high', `nonce too high: next nonce ${account.nonce}, tx nonce ${transaction.nonce}`)
  // As EIP-2681, but with this chain's maximum nonce.
  if (account.nonce === U32_MAX) return refusal('nonce-too-high', `nonce has max value: ${U32_MAX}`)
  const cost = maximumCost(policy, transaction)
  if (cost > account.balance)
    return refusal('insufficient-funds', `insufficient funds for gas * price + value: have ${account.balance} want ${cost}`)
  return undefined
}

/**
 * Runs a transaction that passed `checkRules` and `checkAccount`.
 *
 * @param isLane whether it goes by the lane
 */
export const applyTransaction = (
  machine: Machine,
  transaction: UnsignedTransaction,
  sender: Address,
  { feePolicy, baseFee }: Pick<TransactionRules, 'feePolicy' | 'baseFee'>,
  isLane: boolean,
): TransactionOutcome => {
  const charged = chargedPolicy(feePolicy, isLane)
  const run = runTransaction(machine, transaction, sender, { feePolicy: charged, baseFee })
  return outcomeOf(run, transaction, charged === feePolicy ? sender : SYSTEM_ADDRESS)
}

/** How a transaction's message ended after its fee was charged, with its logs and creations. */
export interface ChargedRun extends TransactionRun, Pick<TransactionOutcome, 'logs' | 'creations'> {}

/**
 * Runs a transaction that passed the checks. The full gas limit is paid in advance and the rest is refunded, so that the
 * transaction cannot spend its own fee.
 *
 * @param pay credits the refund and the proposer's part of the fee
 */
export function runTransaction(
  machine: Machine,
  transaction: UnsignedTransaction,
  sender: Address,
  { feePolicy, baseFee }: Pick<TransactionRules, 'feePolicy' | 'baseFee'>,
  pay: typeof credit = credit,
): ChargedRun {
  const { journal } = machine
  const price = effectiveGasPrice(feePolicy, baseFee, transaction)
  const deposit = BigInt(transaction.gasLimit) * price
  const account = journal.account(sender)
  // A creation increments the nonce when the contract's address is computed.
  const nonce = (transaction.to === undefined ? account.nonce : account.nonce + 1) as Nonce
  journal.setAccount(sender, { ...account, nonce, balance: Wei(account.balance - deposit) })
  const start = journal.checkpoint()
  const run = runMessage(machine, { ...transaction, from: sender })
  const fee = feeOf(feePolicy, baseFee, run.gasUsed, price)
  pay(journal, sender, deposit - fee.charged)
  pay(journal, machine.block.proposer, fee.toProposer)
  return { ...run, logs: journal.logsSince(start), creations: journal.creationsSince(start) }
}

/** What the receipt of a transaction says, and why it failed. */
export const outcomeOf = (
  { outcome, gasUsed, logs, creations }: ChargedRun,
  { gasLimit }: Pick<UnsignedTransaction, 'gasLimit'>,
  payer: Address,
): TransactionOutcome => ({
  status: outcome.ok ? 1 : 0,
  gasUsed,
  logs,
  errorData: outcome.ok ? emptyBytes() : outcome.data,
  contractAddress: outcome.ok ? outcome.contractAddress : undefined,
  payer,
  creations,
  failure: outcome.ok ? undefined : failureOf(outcome, gasUsed, gasLimit),
})

/**
 * The failure of a transaction. If its gas ended, adds how much of the limit it used. A contract may throw an error with the same text: that has no detail,
 * unless the contract passes on the end of an inner call's gas.
 */
function failureOf(
  { data, reason, error, trace, detail }: Extract<MessageOutcome, { ok: false }>,
  gasUsed: number,
  gasLimit: number,
): TransactionFailure {
  const isGas = reason === OUT_OF_GAS_REASON && (error === undefined || detail !== undefined)
  return { data, reason, trace, detail: isGas ? gasDetail(detail, gasUsed, gasLimit) : detail }
}

/** Explains where the gas went, for people: what used it up, and how much of the limit was used. */
export const gasDetail = (detail: string | undefined, gasUsed: number, gasLimit: number): string =>
  `${detail === undefined ? '' : `${detail}; `}${gasUsed} of the gas limit of ${gasLimit} were used`

/** The part of a transaction that runs: a message, and the access list for the intrinsic gas. */
export interface TransactionMessage extends Omit<Message, 'gas'>, Pick<Transaction, 'accessList'> {
  /** In gas, intrinsic gas included. */
  readonly gasLimit: number
}

/** How the message of a transaction ended. */
export interface TransactionRun {
  readonly outcome: MessageOutcome
  /** In gas, intrinsic gas included. */
  readonly gasUsed: number
  /** Whether all gas of the limit was used. */
  readonly isSpent: boolean
}

/**
 * Runs the message of a transaction. It checks no nonce and charges no fee. The gas beyond the intrinsic gas is converted to
 * ticks; used ticks are rounded up to whole gas.
 *
 * @param message its gas limit must be at least the intrinsic gas
 */
export function runMessage(machine: Machine, { gasLimit, accessList, ...message }: TransactionMessage): TransactionRun {
  const intrinsic = intrinsicGas({ ...message, accessList })
  const budget = ticksOf(gasLimit - intrinsic)
  const outcome = machine.run({ ...message, gas: budget })
  const used = assertTicks(outcome.gasUsed, budget)
  return { outcome, gasUsed: intrinsic + gasUsedOf(used), isSpent: used === budget }
}
