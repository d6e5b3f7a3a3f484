import type { TaskOf } from './job.ts'
import type { ProofRequest } from './proof-runner.ts'

/** Start data of the thread. */
export interface ProofWorkerData {
  readonly databasePath: string
}

/** Requests by their kinds, of which there is one. */
export interface ProofRequests {
  readonly proof: ProofRequest
}

/** A request to the thread. The pool sends the next one only after the answer. Its messages are `WorkerMessage`. */
export type ProofWorkerRequest =
  | TaskOf<ProofRequests>
  /** Closes the database; the thread ends. */
  | { readonly kind: 'close' }
