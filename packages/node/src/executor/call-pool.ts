import type { Call, StateOverrides } from '@quoin/execution'
import { startWorker } from '../threads/start-worker.ts'
import type { CallWorkerData } from './call-messages.ts'
import type { CallOutcomes, CallRequests, CallRunner, CallTask } from './call-runner.ts'
import { CancelFlag } from './cancel-flag.ts'
import { JobPool, type JobPoolOptions, type PoolJobs } from './job-pool.ts'
import type { JobWorker } from './job-thread.ts'
import type { TraceJob } from './trace-job.ts'

/** Stack of a thread: the same as in the execution worker, so that a call runs under the same conditions as a transaction. */
const stackSizeMb = 16

const CALLS: PoolJobs<CallRequests> = {
  worker: 'call worker',
  // The message of go-ethereum, which clients match.
  timeout: (callMs) => `execution aborted (timeout = ${callMs} ms)`,
  bytesOf,
  // A trace ends between two transactions.
  endsEarly: ({ kind }) => kind === 'trace',
}

/** The pool of the threads that run contract calls and traces. */
export class CallPool extends JobPool<CallRequests, CallOutcomes> implements CallRunner {
  /** @param start - Creates a thread that speaks `call-messages.ts`. */
  constructor(start: () => JobWorker, options: JobPoolOptions) {
    super(start, CALLS, options)
  }
}

/** Opens a pool whose threads start with the first call, so that a node without calls has none. */
export function openCallPool(options: JobPoolOptions & Omit<CallWorkerData, 'cancelled'>): CallPool {
  const { databasePath, chainId } = options
  const start = (): JobWorker => {
    const flag = new CancelFlag()
    const workerData: CallWorkerData = { databasePath, chainId, cancelled: flag.buffer }
    return { worker: startWorker(import.meta.url, 'call-worker', { workerData, resourceLimits: { stackSizeMb } }), flag }
  }
  return new CallPool(start, options)
}

/** Memory of a waiting request. */
function bytesOf(task: CallTask): number {
  switch (task.kind) {
    case 'trace':
      return traceBytes(task.request)
    case 'simulation':
      return task.request.simulation.blocks.reduce(
        (sum, { calls, stateOverrides }) =>
          sum + overrideBytes(stateOverrides) + calls.reduce((bytes, call) => bytes + simulatedBytes(call), 0),
        0,
      )
    default:
      return task.request.call.data.length + overrideBytes(task.request.stateOverrides)
  }
}

const traceBytes = ({ trace }: TraceJob): number =>
  trace.kind === 'transactions' ? 0 : trace.call.data.length + overrideBytes(trace.stateOverrides)

function overrideBytes(overrides: StateOverrides): number {
  let bytes = 0
  for (const { code, storage } of overrides.values()) {
    bytes += code?.length ?? 0
    for (const [key, value] of storage?.entries ?? []) bytes += key.length + value.length
  }
  return bytes
}

/** A simulation can have many calls, so their own size counts too, and that of their access lists. */
const SIMULATED_CALL_BYTES = 256
const ACCESS_ENTRY_BYTES = 128

const simulatedBytes = ({ data, accessList }: Pick<Call, 'data' | 'accessList'>): number =>
  SIMULATED_CALL_BYTES +
  data.length +
  accessList.reduce((sum, { storageKeys }) => sum + ACCESS_ENTRY_BYTES * (1 + storageKeys.length), 0)
