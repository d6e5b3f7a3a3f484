import type { CallOutcome, CallRequest, EstimateOutcome } from '@quoin/execution'
import type { Result } from '@quoin/protocol'
import type { Client } from '../fair-queue.ts'

/** Why a call has no outcome: it says nothing about the call's contract. */
export interface CallUnavailable {
  /**
   * `overloaded`: too many wait. `timeout`: it was not answered within `callMs`. `fault`: the machine failed, and only the thread that ran the call
   * is lost. `closed`: the node stops.
   */
  readonly code: 'overloaded' | 'timeout' | 'fault' | 'closed'
  readonly message: string
}

/** What can be asked, and the outcome of each. */
export interface CallOutcomes {
  readonly call: CallOutcome
  readonly estimate: EstimateOutcome
}
export type CallKind = keyof CallOutcomes

/** Counters since the start, and gauges. */
export interface CallStats {
  readonly answered: number
  /** Calls that found no room in the queue. */
  readonly refused: number
  readonly timeouts: number
  readonly faults: number
  readonly restarts: number
  readonly waiting: number
}

/**
 * Runs calls that change nothing (`eth_call`, `eth_estimateGas`) on the database. The node's runs them in threads of their own
 * (`call-pool.ts`), the simulator's and the tests' in its caller's thread (`inline-calls.ts`); the code below is the same.
 */
export interface CallRunner {
  readonly stats: CallStats
  /** Rejects with the signal's reason when it is aborted before the call has begun, and for bugs. */
  run<K extends CallKind>(
    kind: K,
    request: CallRequest,
    signal: AbortSignal,
    client: Client,
  ): Promise<Result<CallOutcomes[K], CallUnavailable>>
  /** Lets the calls that run end; those that wait are refused. Every call gets the same promise. */
  close(): Promise<void>
}

/** Bounds of the threads that run calls; times in milliseconds. */
export interface CallPoolLimits {
  readonly workers: number
  /** Calls that may wait for a thread: some full batches, which come in at once. */
  readonly callsQueuedMax: number
  /** Calls of one address that may wait. */
  readonly callsQueuedPerRemoteMax: number
  /** Calldata and overrides of the calls that wait. */
  readonly queuedBytesMax: number
  /** A call that is not answered so long after it came, or has run so long, is stopped, with its thread if it runs. */
  readonly callMs: number
  /** How much longer than `callMs` a call may wait that finds the threads at their first start, which takes seconds on a busy machine. */
  readonly startMsMax: number
  /** How long a thread that died stays away: doubled with each death in a row without an answered call. */
  readonly restartMsMin: number
  readonly restartMsMax: number
}

export const CALL_POOL_DEFAULTS: CallPoolLimits = {
  workers: 2,
  callsQueuedMax: 4_096,
  callsQueuedPerRemoteMax: 2_048,
  queuedBytesMax: 64 * 1024 * 1024,
  callMs: 5_000,
  startMsMax: 15_000,
  restartMsMin: 100,
  restartMsMax: 10_000,
}
