import { type CallHost, estimateGas } from '@quoin/execution'
import { err, ok, type Result } from '@quoin/protocol'
import type { PartReader } from './block-part.ts'
import { runCallJob, runSimulationJob } from './call-job.ts'
import type { CallKind, CallOutcomes, CallRequests, CallRunner, CallTask, CallUnavailable } from './call-runner.ts'
import { runTraceJob } from './trace-job.ts'

/**
 * Runs one call. Throws InterpreterFault if the interpreter fails on this machine.
 *
 * @param blocks - Blocks whose transactions a trace runs again.
 * @param isCancelled - A trace asks it before each transaction.
 */
export function runCallTask(
  host: CallHost,
  blocks: PartReader,
  task: CallTask,
  isCancelled: () => boolean,
): Promise<CallOutcomes[CallKind]> {
  switch (task.kind) {
    case 'call':
      return runCallJob(host, task.request)
    case 'estimate':
      return estimateGas(host, task.request)
    case 'simulation':
      return runSimulationJob(host, task.request)
    case 'trace':
      return runTraceJob(host, blocks, task.request, isCancelled)
  }
}

/** Runs calls in the caller's thread without a timeout, for the simulator and tests. Rejects if the interpreter fails. */
export function createInlineCalls(host: CallHost, blocks: PartReader): CallRunner {
  let answered = 0
  let isClosed = false
  const closed: Result<never, CallUnavailable> = err({ code: 'closed', message: 'the node is stopping' })
  return {
    get stats() {
      return { answered, refused: 0, timeouts: 0, faults: 0, restarts: 0, waiting: 0 }
    },
    async run<K extends CallKind>(kind: K, request: CallRequests[K], signal: AbortSignal) {
      signal.throwIfAborted()
      if (isClosed) return closed
      const outcome = await runCallTask(host, blocks, { kind, request } as CallTask, () => signal.aborted)
      signal.throwIfAborted()
      answered++
      return ok(outcome as CallOutcomes[K])
    },
    async close() {
      isClosed = true
    },
  }
}
