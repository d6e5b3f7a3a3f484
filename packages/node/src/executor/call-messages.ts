import type { CallRequest } from '@quoin/execution'
import type { ChainId } from '@quoin/protocol'
import type { DamageFinding } from '../store/damage.ts'
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
  /** First of all: the interpreter runs and the database is open. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly outcome: CallOutcomes[CallKind] }
  /** The interpreter failed (`InterpreterFault`); the thread must not be used again. */
  | { readonly kind: 'fault'; readonly message: string }
  /** A read met damage of the database. Comes before the end of the call that it spoils. */
  | { readonly kind: 'damage'; readonly damage: DamageFinding }
  /** The call threw otherwise. */
  | { readonly kind: 'failure'; readonly error: unknown }
