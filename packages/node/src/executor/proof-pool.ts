import { startWorker } from '../threads/start-worker.ts'
import { CancelFlag } from './cancel-flag.ts'
import { JobPool, type JobPoolOptions, type PoolJobs } from './job-pool.ts'
import type { JobWorker } from './job-thread.ts'
import type { ProofRequests, ProofWorkerData } from './proof-messages.ts'
import { PROOF_POOL_LIMITS, type ProofOutcomes, type ProofRunner } from './proof-runner.ts'

/** Bytes of a request besides its keys. */
const REQUEST_BYTES = 256

const PROOFS: PoolJobs<ProofRequests> = {
  worker: 'proof worker',
  timeout: (ms) => `the proof was not made within ${ms} ms: ask for fewer keys, or ask again`,
  bytesOf: ({ request }) => request.keys.reduce((sum, { length }) => sum + length, REQUEST_BYTES),
  endsEarly: () => false,
}

/** Opens the pool of the one thread that makes proofs. The thread starts with the first request, so that a node without requests has none. */
export function openProofPool(options: JobPoolOptions & ProofWorkerData): JobPool<ProofRequests, ProofOutcomes> & ProofRunner {
  const { databasePath } = options
  const workerData: ProofWorkerData = { databasePath }
  const start = (): JobWorker => ({
    worker: startWorker(import.meta.url, 'proof-worker', { workerData }),
    flag: new CancelFlag(),
  })
  return new JobPool<ProofRequests, ProofOutcomes>(start, PROOFS, {
    ...options,
    limits: { ...PROOF_POOL_LIMITS, ...options.limits },
  })
}
