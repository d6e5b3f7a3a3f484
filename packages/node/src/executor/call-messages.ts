import type { ChainId } from '@quoin/protocol'
import type { DamageFinding } from '../store/damage.ts'
import type { CallTask } from './call-runner.ts'
import type { AnyJob } from './job.ts'

/** Start data of the thread. */
export interface CallWorkerData {
  readonly databasePath: string
  readonly chainId: ChainId
  /** Flag by which the pool cancels the running call (`cancel-flag.ts`). */
  readonly cancelled: SharedArrayBuffer
}

/** A request to the thread. The pool sends the next one only after the answer. Everything in it is structured-cloneable. */
export type CallWorkerRequest =
  | CallTask
  /** Closes the database; the thread ends. */
  | { readonly kind: 'close' }

/** Messages of a thread that runs jobs of any kind, `call-worker` among them. */
export type WorkerRequest = AnyJob | { readonly kind: 'close' }

export type WorkerMessage =
  /** The first message: the thread is ready for the first request. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly outcome: unknown }
  /** The interpreter failed (`InterpreterFault`); the thread must not be used again. */
  | { readonly kind: 'fault'; readonly message: string }
  /** A read found damage in the database. Sent before the end of the job that it invalidates. */
  | { readonly kind: 'damage'; readonly damage: DamageFinding }
  /** The job threw another error. */
  | { readonly kind: 'failure'; readonly error: unknown }
