import type { Address, Transaction, Wei } from '@quoin/protocol'
import { intrinsicGas } from '../block/intrinsic-gas.ts'
import { runMessage, type TransactionRun } from '../block/transaction.ts'
import { type Contracts, type ContractsOptions, createContracts } from '../contract/contracts.ts'
import type { ContractTrace } from '../contract/failure.ts'
import { Machine } from '../contract/machine.ts'
import type { BlockContext } from '../contract/message.ts'
import { findNative } from '../contract/native/native-contracts.ts'
import type { HistoryKv } from '../state/history.ts'
import { Journal } from '../state/journal.ts'
import type { KvReader } from '../state/kv.ts'
import { executionVersion } from '../version.ts'
import { CALL_LIMITS } from './limits.ts'
import {
  type BlockOverrides,
  type OverrideRefusal,
  overrideBlock,
  type PreparedOverrides,
  prepareOverrides,
  type StateOverrides,
} from './overrides.ts'
import { type PastRunRefusal, runOnPast } from './past-run.ts'

/** An unsigned transaction, for `eth_call` and `eth_estimateGas`. It has no nonce and pays no fee. */
export interface Call extends Pick<Transaction, 'to' | 'data' | 'value' | 'accessList'> {
  /** Any account, also a contract. */
  readonly from: Address
  /** Gas limit; undefined for as much as is allowed. */
  readonly gas: number | undefined
  /**
   * Maximum price per gas that the sender would pay, in wei: an estimate stays within the sender's balance. 0 disables this
   * check.
   */
  readonly maxFeePerGas: Wei
}

/** A call and the block on which it runs. It can be cloned in a message between threads. */
export interface CallRequest {
  readonly call: Call
  /** The call runs on the state after this block. The contract sees this same block as the current one, as in geth. */
  readonly block: BlockContext
  readonly stateOverrides: StateOverrides
  readonly blockOverrides: BlockOverrides
  /** The node's own gas limit for one call. */
  readonly gasMax: number
}

/** Dependencies for running calls. One per thread. */
export interface CallHost {
  readonly kv: HistoryKv
  readonly contracts: Contracts
}

export interface CallHostOptions extends Omit<ContractsOptions, 'reader' | 'executionVersion'> {
  /** The database. It is only read here. Later blocks may only be committed by another component. */
  readonly kv: HistoryKv
}

/** Creates what runs calls on a database. */
export const createCallHost = ({ kv, ...options }: CallHostOptions): CallHost => ({
  kv,
  contracts: createContracts({ ...options, reader: kv, executionVersion: executionVersion(options.crypto) }),
})

/** How a call ended. The gas includes the intrinsic gas, as for a transaction. */
export type CallResult =
  /** `data`: the returned data; for a creation, the new contract's code. */
  | { readonly kind: 'returned'; readonly data: Uint8Array; readonly gasUsed: number }
  /** `data`: the ABI-encoded error. `reason`: its text. `trace`: the contracts' stacks, innermost first. */
  | {
      readonly kind: 'reverted'
      readonly data: Uint8Array
      readonly reason: string
      readonly trace: readonly ContractTrace[]
      /** More about the reason, for people. */
      readonly detail?: string | undefined
      readonly gasUsed: number
    }
  /** `detail`: what used up the gas, for people. */
  | {
      readonly kind: 'out-of-gas'
      readonly detail: string | undefined
      readonly trace: readonly ContractTrace[]
      readonly gasUsed: number
    }

/** Why a call was not run. The messages begin with the phrases that viem and ethers match. */
export interface CallRefusal {
  readonly kind: 'refused'
  readonly code: 'intrinsic-gas-too-low' | 'insufficient-funds' | 'too-large' | OverrideRefusal['code'] | PastRunRefusal['code']
  readonly message: string
}

export type CallOutcome = CallResult | CallRefusal

export const refused = (code: CallRefusal['code'], message: string): CallRefusal => ({ kind: 'refused', code, message })

/**
 * `eth_call`: runs a call. It gets all the gas that is allowed unless it wants less.
 *
 * @throws InterpreterFault when this machine fails
 */
export const runCall = (host: CallHost, request: CallRequest): Promise<CallOutcome> =>
  withState(host, request, (state) => {
    const { call, gasMax } = request
    return refusalOf(call, state) ?? sendable(state.run(Math.min(call.gas ?? gasMax, gasMax)).outcome)
  })

function sendable(outcome: CallOutcome): CallOutcome {
  const problem = outcome.kind === 'returned' ? returnedProblem(outcome.data) : undefined
  return problem === undefined ? outcome : refused('too-large', problem)
}

/** Why the data that a call returned is not sent to its client. The data of a failure has at most `errorDataBytesMax`. */
export function returnedProblem({ length }: Uint8Array): string | undefined {
  const { returnedBytesMax } = CALL_LIMITS
  if (length <= returnedBytesMax) return undefined
  return `returned data too large: the call returned ${length} bytes, at most ${returnedBytesMax} are sent`
}

/** One run of a call. */
export interface CallRun {
  readonly outcome: CallOutcome
  /** How its messages ended (`Machine.course`). */
  readonly course: string
}

/** The state on which a call runs; the call can run many times. */
export interface CallState {
  /** The chain's state without overrides. */
  readonly reader: KvReader
  /** The sender's balance. */
  readonly balance: bigint
  /** Whether the call runs or creates code. */
  readonly runsCode: boolean
  /** Runs the call on the unchanged state. */
  run(gas: number): CallRun
}

/**
 * Prepares overrides and runs a function on the state. The function is repeated until it has seen the right state
 * (`past-run.ts`).
 */
export async function withState<T>(host: CallHost, request: CallRequest, run: (state: CallState) => T): Promise<T | CallRefusal> {
  const prepared = prepareOverrides(host.contracts, request.stateOverrides)
  if (!prepared.ok) return refused(prepared.error.code, prepared.error.message)
  const outcome = await runOnPast(host.kv, request.block.number, (reader) =>
    run(callState(host.contracts, request, prepared.value, reader)),
  )
  return outcome.ok ? outcome.value : refused(outcome.error.code, outcome.error.message)
}

function callState(contracts: Contracts, request: CallRequest, overrides: PreparedOverrides, reader: KvReader): CallState {
  const { call } = request
  const block = overrideBlock(request.block, request.blockOverrides)
  const below = overrides.over(reader)
  const begin = (): Journal => {
    const journal = new Journal(below)
    overrides.write(journal)
    return journal
  }
  const first = begin()
  let untouched: Journal | undefined = first
  return {
    reader,
    balance: first.account(call.from).balance,
    runsCode: call.to === undefined || findNative(call.to) !== undefined || first.account(call.to).codeHash !== undefined,
    run(gas) {
      const journal = untouched ?? begin()
      untouched = undefined
      return runWith(new Machine(contracts, journal, block), call, gas)
    },
  }
}

/** Refuses a call whose sender cannot pay its value. */
export function refusalOf({ from, value }: Call, { balance }: Pick<CallState, 'balance'>): CallRefusal | undefined {
  if (value <= balance) return undefined
  return refused('insufficient-funds', `insufficient funds for transfer: address ${from} have ${balance} want ${value}`)
}

/** Runs a call with a gas limit on a machine that has run nothing yet. */
export function runWith(machine: Machine, call: Call, gasLimit: number): CallRun {
  const intrinsic = intrinsicGas(call)
  if (gasLimit < intrinsic) {
    const message = `intrinsic gas too low: have ${gasLimit}, want ${intrinsic}`
    return { outcome: refused('intrinsic-gas-too-low', message), course: '' }
  }
  const outcome = resultOf(runMessage(machine, { ...call, gasLimit }), machine.journal)
  return { outcome, course: machine.course }
}

/** The result of a message that ran on a journal. */
export function resultOf({ outcome, gasUsed, isSpent }: TransactionRun, journal: Journal): CallResult {
  if (!outcome.ok) {
    // Any other failure leaves gas, at least what the failing frame's caller keeps.
    const { data, reason, trace, detail } = outcome
    if (isSpent) return { kind: 'out-of-gas', detail, trace, gasUsed }
    return { kind: 'reverted', data, reason, trace, detail, gasUsed }
  }
  const { contractAddress } = outcome
  const code = contractAddress === undefined ? undefined : journal.codeAt(contractAddress)
  return { kind: 'returned', data: code ?? outcome.data, gasUsed }
}
