import type { CallRequest } from '@quoin/execution'
import type { ChainId } from '@quoin/protocol'
import type { CallKind, CallOutcomes } from './call-runner.ts'

/** What the thread is started with. */
export interface CallWorkerData {
  readonly databasePath: string
  readonly chainId: ChainId
}

/** The pool sends the next one after the answer. Everything in it can be cloned by a message. */
export type CallWorkerRequest =
  | { readonly kind: CallKind; readonly request: CallRequest }
  /** Closes the database; the thread ends. */
  | { readonly kind: 'close' }

export type CallWorkerMessage =
  /** First of all: the engine runs and the database is open. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly outcome: CallOutcomes[CallKind] }
  /** The engine failed (`EngineFault`); the thread must not be used again. */
  | { readonly kind: 'fault'; readonly message: string }
  /** The call threw otherwise: a bug, or a damaged database. */
  | { readonly kind: 'failure'; readonly error: unknown }
