import { type CallHost, type CallRequest, estimateGas, runCall } from '@quoin/execution'
import { err, ok, type Result } from '@quoin/protocol'
import type { CallKind, CallOutcomes, CallRunner, CallUnavailable } from './call-runner.ts'

/** Runs one call. Throws InterpreterFault if the interpreter fails on this machine. */
export function runCallJob(host: CallHost, kind: CallKind, request: CallRequest): Promise<CallOutcomes[CallKind]> {
  return kind === 'call' ? runCall(host, request) : estimateGas(host, request)
}

/** Runs calls in the caller's thread without a timeout, for the simulator and tests. Rejects if the interpreter fails. */
export function createInlineCalls(host: CallHost): CallRunner {
  let answered = 0
  let isClosed = false
  const closed: Result<never, CallUnavailable> = err({ code: 'closed', message: 'the node is stopping' })
  return {
    get stats() {
      return { answered, refused: 0, timeouts: 0, faults: 0, restarts: 0, waiting: 0 }
    },
    async run<K extends CallKind>(kind: K, request: CallRequest, signal: AbortSignal) {
      signal.throwIfAborted()
      if (isClosed) return closed
      const outcome = await runCallJob(host, kind, request)
      answered++
      return ok(outcome as CallOutcomes[K])
    },
    async close() {
      isClosed = true
    },
  }
}
