import { type Address, emptyBytes, type Log } from '@quoin/protocol'
import { OUT_OF_GAS_REASON } from '../contract/failure.ts'
import type { MessageObserver, MessageOutcome, ObservedMessage } from '../contract/message.ts'
import type { Checkpoint, Journal } from '../state/journal.ts'
import { gasLeftOf } from '../ticks.ts'
import type { TraceBudget } from './budget.ts'

/** A message of a transaction or call, and the messages that it sent. */
export interface CallFrame {
  readonly kind: 'call' | 'static-call' | 'create' | 'create2'
  readonly from: Address
  /** The called account, or the created contract. Undefined for a creation that failed. */
  readonly to: Address | undefined
  /** In wei; 0 for a static call. */
  readonly value: bigint
  /** Calldata, or the container and the constructor's arguments. */
  readonly input: Uint8Array
  /** Gas limit. For the outermost frame it is the transaction's; for others it is rounded down to whole gas. */
  readonly gas: number
  /** For the outermost frame as in the receipt, intrinsic gas included; for others rounded down, so that they fit into their caller's. */
  readonly gasUsed: number
  readonly end: FrameEnd
  /** Logs that the frame itself emitted and that were not reverted. Empty unless logs are recorded. */
  readonly logs: readonly FrameLog[]
  readonly calls: readonly CallFrame[]
}

/** How a frame ended. */
export type FrameEnd =
  /** `output`: returned data; for a creation, the new contract's code. */
  | { readonly kind: 'returned'; readonly output: Uint8Array }
  | {
      readonly kind: 'reverted' | 'out-of-gas'
      /** ABI-encoded error that the caller got. */
      readonly output: Uint8Array
      readonly reason: string
      /** More about the reason, for people. */
      readonly detail: string | undefined
      /** The contract's backtrace, innermost function first, if an exception left the contract or its gas ended in it. */
      readonly stack: string | undefined
    }

export interface FrameLog extends Log {
  /** Index within the block. For a call: within the call, after the logs of the replayed transactions. */
  readonly index: number
  /** Number of the frame's calls that began before it. */
  readonly position: number
}

export interface CallRecorderOptions {
  /** Whether only the outermost frame is recorded. */
  readonly onlyTopCall: boolean
  readonly withLog: boolean
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

interface RecordedFrame extends Writable<Omit<CallFrame, 'logs' | 'calls'>> {
  readonly logs: FrameLog[]
  readonly calls: RecordedFrame[]
}

/** A message that has begun. */
interface Open {
  /** Undefined if the frame is not recorded. */
  readonly frame: RecordedFrame | undefined
  /** The frame's own logs up to here are recorded. */
  mark: Checkpoint
}

/** Records the call frames of one transaction or call, which must be the only one in its journal. */
export class CallRecorder {
  readonly #journal: Journal
  readonly #options: CallRecorderOptions
  readonly #budget: TraceBudget
  readonly #earlierLogs: number
  readonly #open: Open[] = []
  #root: RecordedFrame | undefined

  /** @param earlierLogs number of logs of the block's earlier transactions */
  constructor(journal: Journal, options: CallRecorderOptions, budget: TraceBudget, earlierLogs: number) {
    this.#journal = journal
    this.#options = options
    this.#budget = budget
    this.#earlierLogs = earlierLogs
  }

  readonly observe: MessageObserver = (message) => {
    const caller = this.#open.at(-1)
    if (caller !== undefined) this.#takeLogs(caller)
    const open: Open = { frame: this.#record(message, caller), mark: this.#journal.checkpoint() }
    this.#open.push(open)
    return (outcome) => this.#end(open, outcome)
  }

  /**
   * The outermost frame, with the gas of the whole transaction. Undefined if the budget did not suffice for it.
   *
   * @throws Error before a message has ended
   */
  finish(gasLimit: number, gasUsed: number): CallFrame | undefined {
    if (this.#open.length > 0) throw new Error('a message of the trace has not ended')
    return this.#root === undefined ? undefined : { ...this.#root, gas: gasLimit, gasUsed }
  }

  #record(message: ObservedMessage, caller: Open | undefined): RecordedFrame | undefined {
    if (caller !== undefined && (this.#options.onlyTopCall || caller.frame === undefined)) return undefined
    if (!this.#budget.takeFrame(message.data.length)) return undefined
    const { from, to, value, data, gas } = message
    const limit = gasLeftOf(gas)
    const frame: RecordedFrame = {
      kind: kindOf(message),
      ...{ from, to, value, input: data, gas: limit },
      // It stays so if its caller's frame is cut off while it runs.
      ...{ gasUsed: limit, end: CUT_OFF, logs: [], calls: [] },
    }
    if (caller === undefined) this.#root = frame
    else caller.frame?.calls.push(frame)
    return frame
  }

  #end(open: Open, outcome: MessageOutcome): void {
    // Frames above it were cut off.
    while (this.#open.pop() !== open);
    const { frame } = open
    if (frame !== undefined) {
      frame.gasUsed = gasLeftOf(outcome.gasUsed)
      if (outcome.ok) this.#takeLogs(open)
      else dropLogs(frame)
      this.#setEnd(frame, outcome)
    }
    const caller = this.#open.at(-1)
    if (caller !== undefined) caller.mark = this.#journal.checkpoint()
  }

  #setEnd(frame: RecordedFrame, outcome: MessageOutcome): void {
    if (!outcome.ok) {
      const { data: output, reason, detail, error } = outcome
      const stack = ownStack(frame, outcome)
      const kind = reason === OUT_OF_GAS_REASON && error === undefined ? 'out-of-gas' : 'reverted'
      const bytes = output.length + reason.length + (detail?.length ?? 0) + (stack?.length ?? 0)
      if (this.#budget.take(bytes)) frame.end = { kind, output, reason, detail, stack }
      return
    }
    const { contractAddress } = outcome
    if (contractAddress !== undefined) frame.to = contractAddress
    // `peekCode` does not count as use, which would change the price of the next one.
    const code = contractAddress === undefined ? undefined : this.#codeAt(contractAddress)
    const output = code ?? outcome.data
    if (this.#budget.take(output.length)) frame.end = { kind: 'returned', output }
  }

  #codeAt(address: Address): Uint8Array | undefined {
    const { codeHash } = this.#journal.account(address)
    return codeHash === undefined ? undefined : this.#journal.peekCode(codeHash)
  }

  /** Records the frame's own logs since its mark. */
  #takeLogs(open: Open): void {
    const { frame, mark } = open
    if (!this.#options.withLog || frame === undefined) return
    for (const [i, log] of this.#journal.logsSince(mark).entries()) {
      if (!this.#budget.take(log.data.length + TOPIC_BYTES * log.topics.length)) return
      frame.logs.push({ ...log, index: this.#earlierLogs + mark.logs + i, position: frame.calls.length })
    }
    open.mark = this.#journal.checkpoint()
  }
}

const TOPIC_BYTES = 32

function kindOf({ to, isStatic, form }: ObservedMessage): CallFrame['kind'] {
  if (to !== undefined) return isStatic ? 'static-call' : 'call'
  return form?.salt === undefined ? 'create' : 'create2'
}

const CUT_OFF: FrameEnd = {
  kind: 'out-of-gas',
  ...{ output: emptyBytes(), reason: OUT_OF_GAS_REASON, detail: undefined, stack: undefined },
}

/** A failed message has no logs, and neither have those that it sent. */
function dropLogs(frame: RecordedFrame): void {
  frame.logs.length = 0
  for (const call of frame.calls) dropLogs(call)
}

/** The backtrace in the frame's own contract; those of inner frames are with them. */
function ownStack({ kind, to }: RecordedFrame, { trace }: Extract<MessageOutcome, { ok: false }>): string | undefined {
  const last = trace.at(-1)
  return last !== undefined && (kind === 'create' || kind === 'create2' || last.address === to) ? last.stack : undefined
}
