import {
  type Address,
  addToBloom,
  type ChainParameters,
  type Crypto,
  codec,
  emptyBloom,
  encodeTransaction,
  err,
  type Gas,
  Hash,
  type Header,
  headerHash,
  LIMITS,
  type Log,
  merkleRoot,
  ok,
  type Receipt,
  type Result,
  receiptCodec,
  type TimeMs,
  transactionsRoot,
  U256_MAX,
  type UnsignedTransaction,
  type Wei,
  ZERO_HASH,
} from '@quoin/protocol'
import { intrinsicGas } from '../block/intrinsic-gas.ts'
import { type Sending, UNJUDGED } from '../block/sending.ts'
import {
  type ChargedRun,
  chargedPolicy,
  checkAccount,
  checkRules,
  outcomeOf,
  runTransaction,
  type TransactionRules,
} from '../block/transaction.ts'
import type { Machine } from '../contract/machine.ts'
import type { TransactionRefusal } from '../executor.ts'
import { credit } from '../state/credit.ts'
import type { Journal, Transfer } from '../state/journal.ts'
import { SYSTEM_ADDRESS } from '../state/system-records.ts'
import type { SimulatedCall } from './block-plan.ts'
import { type CallResult, resultOf, returnedProblem } from './call.ts'
import { transferLog } from './transfer-log.ts'

/**
 * What the block decides of a call's transaction. Nobody signs it: its encoding has 0 for r and s. The rest is in the request: it would cost
 * more to send it back.
 */
export interface SimulatedTransaction extends Pick<UnsignedTransaction, 'nonce' | 'gasLimit'> {
  /** keccak256 of the encoding. */
  readonly hash: Hash
  /** Size of the encoding. */
  readonly bytes: number
}

/** How a simulated call ended. */
export interface SimulatedResult {
  readonly transaction: SimulatedTransaction
  /** Without traces. */
  readonly outcome: CallResult
  /** Its logs. If transfers are recorded, they are among them, in order. */
  readonly logs: readonly Log[]
}

/** A simulated block. Its header has no state root: there is no tree over a state that exists in no database. */
export interface SimulatedBlock {
  readonly header: Header
  readonly hash: Hash
  readonly results: readonly SimulatedResult[]
}

/** What all blocks of a simulation share. */
export interface SimulationRules {
  readonly crypto: Crypto
  readonly chainId: number
  readonly parameters: ChainParameters
  /** The rules of sending in a block of this time, by the state before the simulation. */
  readonly sendingAt: (timeMs: TimeMs) => Sending
  /** Whether a call must be a valid transaction, except for signature and sender's code. */
  readonly isValidated: boolean
}

/** What the remaining calls of a simulation may still use. */
export interface Budget {
  gas: number
  /** Of the answer as JSON, approximately. */
  bytes: number
}

/** Why a call ended the simulation. */
export interface CallProblem {
  readonly code: TransactionRefusal['code'] | 'block-gas-limit' | 'too-large' | 'limit-exceeded'
  readonly message: string
}

const problem = (code: CallProblem['code'], message: string): Result<never, CallProblem> => err({ code, message })

export const ANSWER_TOO_LONG = 'the answer of the simulation is too long: ask for fewer blocks, calls, logs or less data'

/** Size of the parts of an answer as JSON, without data. */
const RESULT_BYTES = 512
const TRANSACTION_BYTES = 1_024
const LOG_BYTES = 768

/** Runs the calls of one simulated block. */
export class SimulatedBlockRun {
  readonly #machine: Machine
  readonly #rules: SimulationRules
  readonly #sending: Sending
  readonly #budget: Budget
  readonly #results: SimulatedResult[] = []
  readonly #receipts: Receipt[] = []
  #gasUsed = 0

  constructor(machine: Machine, rules: SimulationRules, budget: Budget) {
    this.#machine = machine
    this.#rules = rules
    this.#sending = rules.sendingAt(machine.block.timeMs)
    this.#budget = budget
  }

  /**
   * Runs a call on the state that the calls before it left.
   *
   * @returns why it cannot be a transaction at this position
   * @throws InterpreterFault when this machine fails
   */
  run(call: SimulatedCall): Result<undefined, CallProblem> {
    const gas = this.#gasOf(call)
    if (!gas.ok) return gas
    const { journal } = this.#machine
    const { nonce } = journal.account(call.from)
    const transaction = unsigned(call, this.#rules.chainId, gas.value, call.nonce ?? nonce)
    const rules = this.#rulesOf(call)
    const judged = this.#rules.isValidated ? transaction : { ...transaction, nonce }
    // Contracts may send, also in the validated mode (execution-apis).
    const account = { ...journal.account(call.from), codeHash: undefined }
    const isLane = rules.sending.usesLane(judged, call.from)
    const feePolicy = chargedPolicy(rules.feePolicy, isLane)
    const refusal = checkRules(judged, call.from, rules) ?? checkAccount(judged, account, feePolicy)
    if (refusal !== undefined) return err(refusal)
    const { raw, hash } = this.#encoded(transaction)
    if (this.#rules.isValidated && raw.length > LIMITS.transactionBytesMax)
      return problem('too-large', `transaction has ${raw.length} bytes, at most ${LIMITS.transactionBytesMax} are allowed`)
    const run = runTransaction(this.#machine, transaction, call.from, { ...rules, feePolicy }, creditUpToMax)
    const payer = feePolicy === rules.feePolicy ? call.from : SYSTEM_ADDRESS
    const { gasLimit } = transaction
    return this.#keep({ nonce: transaction.nonce, gasLimit, hash, bytes: raw.length }, payer, run)
  }

  /** The gas limit: what the call asks for, else what is left in the block. The gas of all calls together is limited. */
  #gasOf(call: SimulatedCall): Result<number, CallProblem> {
    const { gasLimit } = this.#machine.block
    const room = gasLimit - this.#gasUsed
    if (call.gas !== undefined && call.gas > room)
      return problem(
        'block-gas-limit',
        `block gas limit reached: the call has a gas limit of ${call.gas}, but only ${room} of ${gasLimit} gas is left in the block`,
      )
    const { isValidated, parameters } = this.#rules
    const wanted = call.gas ?? (isValidated ? Math.min(room, parameters.transactionGasMax) : room)
    const allowed = Math.min(wanted, this.#budget.gas)
    if (allowed < wanted && allowed < intrinsicGas(call))
      return problem('limit-exceeded', `the calls of the simulation use too much gas: only ${allowed} gas is left for them`)
    return ok(allowed)
  }

  /** Without validation a call that offers no fee pays none, and no rule restricts its sender and its gas. */
  #rulesOf({ maxFeePerGas, maxPriorityFeePerGas }: SimulatedCall): TransactionRules {
    const { isValidated, parameters } = this.#rules
    const { feePolicy, transactionGasMax } = parameters
    const baseFee = this.#machine.block.baseFee as Wei
    if (isValidated) return { feePolicy, transactionGasMax, baseFee, sending: this.#sending }
    const lenient = { transactionGasMax: Number.MAX_SAFE_INTEGER as Gas, sending: UNJUDGED } as const
    const isFree = maxFeePerGas === 0n && maxPriorityFeePerGas === 0n
    return isFree ? { ...lenient, feePolicy: 'free', baseFee: 0n as Wei } : { ...lenient, feePolicy, baseFee }
  }

  #encoded(transaction: UnsignedTransaction): { readonly raw: Uint8Array; readonly hash: Hash } {
    const raw = encodeTransaction(transaction, UNSIGNED)
    return { raw, hash: Hash(this.#rules.crypto.keccak256(raw)) }
  }

  #keep(transaction: SimulatedTransaction, payer: Address, run: ChargedRun): Result<undefined, CallProblem> {
    const { journal } = this.#machine
    const logs = withTransfers(run.logs, journal.transactionTransfers)
    const result = resultOf(run, journal)
    const outcome = result.kind === 'returned' ? result : { ...result, trace: [] }
    const tooLarge = result.kind === 'returned' ? returnedProblem(result.data) : undefined
    if (tooLarge !== undefined) return problem('limit-exceeded', tooLarge)
    this.#budget.gas -= run.gasUsed
    this.#budget.bytes -= bytesOf(transaction, outcome, logs)
    if (this.#budget.bytes < 0) return problem('limit-exceeded', ANSWER_TOO_LONG)
    const { gasUsed, failure: _, creations: __, ...receipt } = outcomeOf(run, transaction, payer)
    this.#gasUsed += gasUsed
    this.#receipts.push({ ...receipt, gasUsed: gasUsed as Gas, cumulativeGasUsed: this.#gasUsed as Gas })
    this.#results.push({ transaction, outcome, logs })
    return ok(undefined)
  }

  /** The block on top of `parent`. Transfers that are shown as logs are not in the bloom. */
  seal({ header: parent, hash: parentHash }: Pick<SimulatedBlock, 'header' | 'hash'>, executionVersion: Hash): SimulatedBlock {
    const { crypto } = this.#rules
    const { number, timeMs, proposer, gasLimit, baseFee } = this.#machine.block
    const { nextValidatorsHash } = parent.extra
    const logsBloom = emptyBloom()
    for (const { logs } of this.#receipts) addToBloom(crypto, logsBloom, logs)
    const receipts = this.#receipts.map((receipt) => codec.encode(receiptCodec, receipt))
    const header: Header = {
      parentHash,
      miner: proposer,
      stateRoot: ZERO_HASH,
      transactionsRoot: Hash(
        transactionsRoot(
          crypto,
          this.#results.map(({ transaction }) => transaction.hash),
        ),
      ),
      receiptsRoot: Hash(merkleRoot(crypto, receipts)),
      logsBloom,
      number,
      gasLimit: gasLimit as Gas,
      gasUsed: this.#gasUsed as Gas,
      timeMs,
      baseFeePerGas: baseFee as Wei,
      extra: { executionVersion, validatorsHash: nextValidatorsHash, nextValidatorsHash },
      genesisDigest: undefined,
    }
    return { header, hash: headerHash(crypto, header), results: this.#results }
  }
}

const UNSIGNED = { signature: new Uint8Array(64), yParity: 0 } as const

function unsigned(
  call: SimulatedCall,
  chainId: number,
  gasLimit: number,
  nonce: UnsignedTransaction['nonce'],
): UnsignedTransaction {
  const { type, to, data, value, accessList, maxFeePerGas, maxPriorityFeePerGas } = call
  return { type, chainId, nonce, gasLimit: gasLimit as Gas, to, data, value, accessList, maxFeePerGas, maxPriorityFeePerGas }
}

/** Credits an amount. Overrides can give accounts more than all the money of a chain: a balance ends at its maximum then. */
function creditUpToMax(journal: Journal, address: Address, amount: bigint): void {
  const room = U256_MAX - journal.account(address).balance
  credit(journal, address, amount < room ? amount : room)
}

/** Puts transfers between the logs, each where it happened. */
function withTransfers(logs: readonly Log[], transfers: readonly Transfer[]): readonly Log[] {
  if (transfers.length === 0) return logs
  const all: Log[] = []
  let at = 0
  for (const transfer of transfers) {
    all.push(...logs.slice(at, transfer.logsBefore), transferLog(transfer))
    at = transfer.logsBefore
  }
  return [...all, ...logs.slice(at)]
}

function bytesOf({ bytes }: SimulatedTransaction, outcome: CallResult, logs: readonly Log[]): number {
  const shown = outcome.kind === 'out-of-gas' ? 0 : outcome.data.length
  const ofLogs = logs.reduce((sum, { data }) => sum + LOG_BYTES + 2 * data.length, 0)
  // An access list takes more characters in JSON than twice its bytes.
  return RESULT_BYTES + 2 * shown + ofLogs + TRANSACTION_BYTES + 3 * bytes
}
