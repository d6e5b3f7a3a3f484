import type { Address, Hash } from '@quoin/protocol'
import { type Call, type CallHost, type CallRefusal, refusalOf, refused, runWith } from '../call/call.ts'
import {
  type BlockOverrides,
  overrideBlock,
  type PreparedOverrides,
  prepareOverrides,
  type StateOverrides,
} from '../call/overrides.ts'
import { runOnPast } from '../call/past-run.ts'
import type { Contracts } from '../contract/contracts.ts'
import type { BlockContext } from '../contract/message.ts'
import { Journal } from '../state/journal.ts'
import type { KvReader } from '../state/kv.ts'
import { Overlay } from '../state/overlay.ts'
import { TraceBudget } from './budget.ts'
import { type CallFrame, CallRecorder, type CallRecorderOptions } from './call-frame.ts'
import { TRACE_LIMITS } from './limits.ts'
import { BlockReplay, type Replay, type ReplayItem, replayItems, replayKeys } from './replay.ts'
import { type UsedAccountState, type UsedStateOptions, usedState } from './used-state.ts'

/** What is recorded of a transaction or call: its call frames, or the state that it used. */
export type Tracer = ({ readonly kind: 'calls' } & CallRecorderOptions) | ({ readonly kind: 'state' } & UsedStateOptions)

export interface TransactionsTraceRequest {
  readonly kind: 'transactions'
  readonly tracer: Tracer
  readonly replay: Replay
  /** Index of the first transaction that is traced. Those before it are only run. */
  readonly first: number
}

export interface CallTraceRequest {
  readonly kind: 'call'
  readonly tracer: Tracer
  readonly call: Call
  /** The block that the contract sees. */
  readonly block: BlockContext
  /** Transactions of this block, after which the call runs. Undefined: it runs on the state after the block. */
  readonly replay: Replay | undefined
  readonly stateOverrides: StateOverrides
  readonly blockOverrides: BlockOverrides
  /** The node's own gas limit for one call. */
  readonly gasMax: number
}

/** A request for traces. It can be cloned in a message between threads. */
export type TraceRequest = TransactionsTraceRequest | CallTraceRequest

export type Trace =
  | { readonly kind: 'calls'; readonly frame: CallFrame }
  | { readonly kind: 'state'; readonly accounts: readonly UsedAccountState[] }

/** A transaction's trace; `hash` is undefined for a call. */
export interface Traced {
  readonly hash: Hash | undefined
  readonly trace: Trace
}

export type TraceOutcome =
  /** In the order of the block. */
  | { readonly kind: 'traced'; readonly traces: readonly Traced[] }
  | CallRefusal
  /** What would be recorded exceeds `TRACE_LIMITS`. */
  | { readonly kind: 'refused'; readonly code: 'too-large'; readonly message: string }

const TOO_LARGE: TraceOutcome = {
  kind: 'refused',
  code: 'too-large',
  message: `trace too large: at most ${TRACE_LIMITS.framesMax} call frames and ${TRACE_LIMITS.bytesMax} bytes can be recorded for one request`,
}

/**
 * Runs transactions or a call and records what they do. It is the code that runs in a block, on the same state; an observer sees
 * where messages begin and end (`contract/machine.ts`). The result of each transaction is compared with its receipt.
 *
 * @param isCancelled asked before each transaction; after it has returned true the outcome is a refusal with the code `cancelled`
 * @throws InterpreterFault when this machine fails
 * @throws Error when a transaction did not do the same as in its block: a bug, or a damaged database
 */
export async function runTrace(host: CallHost, request: TraceRequest, isCancelled = (): boolean => false): Promise<TraceOutcome> {
  const prepared = request.kind === 'call' ? prepareOverrides(host.contracts, request.stateOverrides) : undefined
  if (prepared?.ok === false) return refused(prepared.error.code, prepared.error.message)
  const { replay } = request
  const items = replay === undefined ? [] : replayItems(host.contracts, replay)
  const { number } = request.kind === 'call' ? request.block : request.replay.block
  const outcome = await runOnPast(
    host.kv,
    replay === undefined ? number : number - 1,
    (reader) => new TraceRun(host.contracts, reader, request, isCancelled).run(items, prepared?.value),
    { expected: replay === undefined ? [] : replayKeys(replay, items), isCancelled },
  )
  return outcome.ok ? outcome.value : refused(outcome.error.code, outcome.error.message)
}

/** One attempt, on a state that may still be a guess. */
class TraceRun {
  readonly #request: TraceRequest
  readonly #isCancelled: () => boolean
  readonly #replay: BlockReplay
  readonly #budget = new TraceBudget()

  constructor(contracts: Contracts, reader: KvReader, request: TraceRequest, isCancelled: () => boolean) {
    this.#request = request
    this.#isCancelled = isCancelled
    this.#replay = new BlockReplay(contracts, reader, request.kind === 'call' ? request.block : request.replay.block)
  }

  run(items: readonly ReplayItem[], overrides: PreparedOverrides | undefined): TraceOutcome {
    const request = this.#request
    const outcome = request.kind === 'call' ? this.#call(request, items, overrides!) : this.#transactions(items, request.first)
    const { difference } = this.#replay
    if (difference !== undefined && !this.#isCancelled()) throw new Error(difference)
    return this.#budget.isExceeded ? TOO_LARGE : outcome
  }

  #transactions(items: readonly ReplayItem[], first: number): TraceOutcome {
    const replay = this.#replay
    const traces: Traced[] = []
    replay.runAll(items.slice(0, first), this.#isCancelled)
    for (const item of items.slice(first)) {
      // The transactions after one that exceeds the budget are not needed.
      if (this.#isCancelled() || this.#budget.isExceeded) break
      const { transaction, sender } = item
      const journal = new Journal(replay.state)
      const recorder = this.#recorder(journal, replay.logs)
      const outcome = replay.run(item, journal, recorder?.observe)
      if (outcome !== undefined) {
        const { gasUsed, contractAddress } = outcome
        const frame = recorder?.finish(transaction.gasLimit, gasUsed)
        const trace = this.#traceOf(frame, journal, replay.state, [sender, transaction.to ?? contractAddress])
        if (trace !== undefined) traces.push({ hash: transaction.hash, trace })
      }
      replay.keep(journal)
    }
    return { kind: 'traced', traces }
  }

  #call(request: CallTraceRequest, items: readonly ReplayItem[], overrides: PreparedOverrides): TraceOutcome {
    const { call, gasMax } = request
    const replay = this.#replay
    replay.runAll(items, this.#isCancelled)
    const state = overridden(replay.state, overrides)
    const journal = new Journal(state)
    const refusal = refusalOf(call, journal.account(call.from))
    if (refusal !== undefined) return refusal
    const recorder = this.#recorder(journal, replay.logs)
    const gas = Math.min(call.gas ?? gasMax, gasMax)
    const machine = replay.machine(journal, recorder?.observe, overrideBlock(request.block, request.blockOverrides))
    const { outcome } = runWith(machine, call, gas)
    if (outcome.kind === 'refused') return outcome
    const frame = recorder?.finish(gas, outcome.gasUsed)
    const trace = this.#traceOf(frame, journal, state, [call.from, call.to])
    return { kind: 'traced', traces: trace === undefined ? [] : [{ hash: undefined, trace }] }
  }

  #recorder(journal: Journal, earlierLogs: number): CallRecorder | undefined {
    const { tracer } = this.#request
    return tracer.kind === 'calls' ? new CallRecorder(journal, tracer, this.#budget, earlierLogs) : undefined
  }

  /** Undefined if the budget did not suffice. As in geth, the block's proposer always belongs to the state. */
  #traceOf(
    frame: CallFrame | undefined,
    journal: Journal,
    below: KvReader,
    parties: readonly (Address | undefined)[],
  ): Trace | undefined {
    const { tracer } = this.#request
    if (tracer.kind === 'calls') return frame === undefined ? undefined : { kind: 'calls', frame }
    const always = [...parties, this.#replay.block.proposer].filter((address) => address !== undefined)
    const accounts = usedState(journal, below, tracer, always, this.#budget)
    return accounts === undefined ? undefined : { kind: 'state', accounts }
  }
}

/** A state with the overrides of a call. */
function overridden(state: KvReader, overrides: PreparedOverrides): Overlay {
  const below = overrides.over(state)
  const journal = new Journal(below)
  overrides.write(journal)
  const overlay = new Overlay(below)
  overlay.apply(journal.changes())
  return overlay
}
