import type { CallRequest, EstimateOutcome } from '@quoin/execution'
import type { Result } from '@quoin/protocol'
import type { Client } from '../fair-queue.ts'
import type { RestartLimits } from '../threads/restart-delay.ts'
import type { CallAnswer, SimulationAnswer, SimulationJob } from './call-job.ts'
import type { TaskOf } from './job.ts'
import type { TraceAnswer, TraceJob } from './trace-job.ts'

/** Why a call has no outcome. Says nothing about the called contract. */
export interface CallUnavailable {
  /**
   * `overloaded`: too many calls are waiting, or no thread was free in time. `timeout`: not answered within `callMs`. `fault`: the interpreter
   * or thread failed, and only the thread of this call is lost. `closed`: the node is stopping.
   */
  readonly code: 'overloaded' | 'timeout' | 'fault' | 'closed'
  readonly message: string
}

/** Kinds of calls, and the request of each. */
export interface CallRequests {
  readonly call: CallRequest
  readonly estimate: CallRequest
  readonly simulation: SimulationJob
  readonly trace: TraceJob
}

/** The outcome of each kind of call. */
export interface CallOutcomes {
  readonly call: CallAnswer
  readonly estimate: EstimateOutcome
  readonly simulation: SimulationAnswer
  readonly trace: TraceAnswer
}
export type CallKind = keyof CallOutcomes

/** A request with its kind. */
export type CallTask = TaskOf<CallRequests>

/** Counters since the start, and gauges. */
export interface CallStats {
  readonly answered: number
  /** Calls refused because the queue was full, or because no thread was free in time. */
  readonly refused: number
  readonly timeouts: number
  readonly faults: number
  readonly restarts: number
  readonly waiting: number
}

/**
 * Runs read-only calls (`eth_call`, `eth_estimateGas`, `eth_simulateV1`, traces) on the database. A node runs them in separate threads (`call-pool.ts`), the simulator
 * and tests in the caller's thread (`inline-calls.ts`). The code below both is the same.
 */
export interface CallRunner {
  readonly stats: CallStats
  /**
   * Runs a call.
   *
   * @param signal - If it is aborted, the promise rejects with its reason. A call that has not begun is not run, and a trace ends early.
   * @param client - The client, for fair queueing.
   * @returns The outcome, or why there is none. Other rejections are bugs, or a damaged database.
   */
  run<K extends CallKind>(
    kind: K,
    request: CallRequests[K],
    signal: AbortSignal,
    client: Client,
  ): Promise<Result<CallOutcomes[K], CallUnavailable>>
  /** Waits for running calls and refuses waiting ones. Every call of `close` returns the same promise. */
  close(): Promise<void>
}

/** Limits of the threads that run calls. Times are in milliseconds. */
export interface CallPoolLimits extends RestartLimits {
  readonly workers: number
  /** Calls that may wait for a thread. Enough for several full batches. */
  readonly callsQueuedMax: number
  /** Calls of one address that may wait. */
  readonly callsQueuedPerRemoteMax: number
  /** Calldata and overrides of the waiting calls. */
  readonly queuedBytesMax: number
  /** The same for one address. More than the largest request. */
  readonly queuedBytesPerRemoteMax: number
  /**
   * Timeout of a call, from its arrival: then its client gets an answer. A call that runs for this long, from its start, is stopped together
   * with its thread.
   */
  readonly callMs: number
  /** A call is started only while this part of `callMs` is left of its time. Otherwise overloaded threads would do nothing in time. */
  readonly runPartMin: number
  /** After it has run for `callMs`, a trace has this long to end before its thread is stopped. More than one transaction takes. */
  readonly traceEndMs: number
  /** With one thread only: a trace that has run for this long is ended as soon as a call waits. */
  readonly yieldMs: number
  /** Extra time for a call that arrives during the first start of the threads, which takes seconds on a busy machine. */
  readonly startMsMax: number
}

export const CALL_POOL_DEFAULTS: CallPoolLimits = {
  workers: 2,
  callsQueuedMax: 4_096,
  callsQueuedPerRemoteMax: 2_048,
  queuedBytesMax: 64 * 1024 * 1024,
  queuedBytesPerRemoteMax: 16 * 1024 * 1024,
  callMs: 5_000,
  runPartMin: 1 / 10,
  traceEndMs: 1_000,
  yieldMs: 1_000,
  startMsMax: 15_000,
  restartMsMin: 100,
  restartMsMax: 10_000,
}
