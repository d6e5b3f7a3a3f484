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
import {
  type BlockOverrides,
  type OverrideRefusal,
  overrideBlock,
  type PreparedOverrides,
  prepareOverrides,
  type StateOverrides,
} from './overrides.ts'
import { type PastRunRefusal, runOnPast } from './past-run.ts'

/** A transaction that nobody signs: what `eth_call` and `eth_estimateGas` ask about. It has no nonce and pays no fee. */
export interface Call extends Pick<Transaction, 'to' | 'data' | 'value' | 'accessList'> {
  /** Any account, a contract's too. */
  readonly from: Address
  /** At most; undefined for as much as is allowed. */
  readonly gas: number | undefined
  /** What the sender would pay for a unit of gas at most: an estimate stays within its balance. 0 when that does not matter. */
  readonly maxFeePerGas: Wei
}

/** A call and where it runs. Everything in it can be cloned by a message between threads. */
export interface CallRequest {
  readonly call: Call
  /** The state that it runs on is the one that this block left; the contract finds itself in this very block, as in geth. */
  readonly block: BlockContext
  readonly stateOverrides: StateOverrides
  readonly blockOverrides: BlockOverrides
  /** The node's own bound for one call. */
  readonly gasMax: number
}

/** What runs calls: one a thread. */
export interface CallHost {
  readonly kv: HistoryKv
  readonly contracts: Contracts
}

export interface CallHostOptions extends Omit<ContractsOptions, 'reader' | 'executionVersion'> {
  /** The database. Only read, and only where later blocks are committed by somebody else. */
  readonly kv: HistoryKv
}

export const createCallHost = ({ kv, ...options }: CallHostOptions): CallHost => ({
  kv,
  contracts: createContracts({ ...options, reader: kv, executionVersion: executionVersion(options.crypto) }),
})

/** How the message of a call ended. Its gas includes the intrinsic gas, as that of a transaction. */
export type CallResult =
  /** What was returned; of a creation, the new contract's code. */
  | { readonly kind: 'returned'; readonly data: Uint8Array; readonly gasUsed: number }
  /** `data`: the ABI-encoded error. `reason`: in words, where the error has any. `trace`: the contracts' stacks, innermost first. */
  | {
      readonly kind: 'reverted'
      readonly data: Uint8Array
      readonly reason: string
      readonly trace: readonly ContractTrace[]
      readonly gasUsed: number
    }
  | { readonly kind: 'out-of-gas'; readonly gasUsed: number }

/** Why a call was not run. The messages begin with the words that viem and ethers look for. */
export interface CallRefusal {
  readonly kind: 'refused'
  readonly code: 'intrinsic-gas-too-low' | 'insufficient-funds' | OverrideRefusal['code'] | PastRunRefusal['code']
  readonly message: string
}

export type CallOutcome = CallResult | CallRefusal

export const refused = (code: CallRefusal['code'], message: string): CallRefusal => ({ kind: 'refused', code, message })

/** `eth_call`: what a call returns, with all the gas that is allowed unless it wants less. Throws InterpreterFault when this machine fails. */
export const runCall = (host: CallHost, request: CallRequest): Promise<CallOutcome> =>
  withState(host, request, (state) => {
    const { call, gasMax } = request
    return refusalOf(call, state) ?? state.run(Math.min(call.gas ?? gasMax, gasMax)).outcome
  })

/** One run of a call. */
export interface CallRun {
  readonly outcome: CallOutcome
  /** How its messages ended (`Machine.course`). */
  readonly course: string
}

/** The state below a call, on which it can be run many times. */
export interface CallState {
  /** The chain's own, below any override. */
  readonly reader: KvReader
  /** The sender's balance. */
  readonly balance: bigint
  /** Whether there is code to run, or to be made. */
  readonly runsCode: boolean
  /** Runs the call on the untouched state. */
  run(gas: number): CallRun
}

/** Prepares overrides, and runs a function of the state until it has seen the right one. */
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
      return runWith(contracts, journal, block, call, gas)
    },
  }
}

/** Why the sender cannot afford what the call moves. */
export function refusalOf({ from, value }: Call, { balance }: CallState): CallRefusal | undefined {
  if (value <= balance) return undefined
  return refused('insufficient-funds', `insufficient funds for transfer: address ${from} have ${balance} want ${value}`)
}

function runWith(contracts: Contracts, journal: Journal, block: BlockContext, call: Call, gasLimit: number): CallRun {
  const intrinsic = intrinsicGas(call)
  if (gasLimit < intrinsic) {
    const message = `intrinsic gas too low: have ${gasLimit}, want ${intrinsic}`
    return { outcome: refused('intrinsic-gas-too-low', message), course: '' }
  }
  const machine = new Machine(contracts, journal, block)
  const outcome = resultOf(runMessage(machine, { ...call, gasLimit }), journal)
  return { outcome, course: machine.course }
}

function resultOf({ outcome, gasUsed, isSpent }: TransactionRun, journal: Journal): CallResult {
  if (!outcome.ok) {
    // Whatever else fails leaves gas, if only what the failing frame's caller keeps.
    if (isSpent) return { kind: 'out-of-gas', gasUsed }
    return { kind: 'reverted', data: outcome.data, reason: outcome.reason, trace: outcome.trace, gasUsed }
  }
  const { contractAddress } = outcome
  const code = contractAddress === undefined ? undefined : journal.code(contractAddress)
  return { kind: 'returned', data: code ?? outcome.data, gasUsed }
}
