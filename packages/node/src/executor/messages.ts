import type { BlockRefusal, BlockTemplate, BuiltBlock, ExecutedBlock, FillLimits, TreeRefusal } from '@quoin/execution'
import type { ChainId, Hash, Result } from '@quoin/protocol'
import type { DamageFinding } from '../store/damage.ts'

/** What the thread is started with. */
export interface ExecutorWorkerData {
  readonly databasePath: string
  readonly chainId: ChainId
  readonly treeDepth: number
  readonly historyHeights: number
}

/** A call of `Executor`; transactions are packed (`packTransactions`, `packQueues`) and their buffer moves with the message. */
export type ExecutorCall =
  /** `genesis` is the JSON form: a validator set has a method, which no message carries. */
  | { readonly method: 'genesis'; readonly genesis: Readonly<Record<string, unknown>> }
  | {
      readonly method: 'build'
      readonly template: BlockTemplate
      readonly queues: Uint8Array<ArrayBuffer>
      readonly fill: FillLimits
    }
  | { readonly method: 'execute'; readonly template: BlockTemplate; readonly transactions: Uint8Array<ArrayBuffer> }
  | { readonly method: 'commit'; readonly blockHash: Hash }
  /** Closes the executor and the database; the thread ends after its answer. */
  | { readonly method: 'close' }

export interface ExecutorAnswers {
  readonly genesis: ExecutedBlock
  readonly build: BuiltBlock
  readonly execute: Result<ExecutedBlock, BlockRefusal>
  readonly commit: undefined
  readonly close: undefined
}

export interface ExecutorRequest {
  readonly id: number
  readonly call: ExecutorCall
}

export interface OpenedExecutor {
  readonly version: Hash
  /** The thread's cryptographic backend. */
  readonly backend: string
  /** Memory of `Turns`. */
  readonly turns: SharedArrayBuffer
}

/** Why the thread cannot use the database. */
export type ExecutorRefusal = TreeRefusal | { readonly code: 'damaged'; readonly message: string }

export type ExecutorMessage =
  /** First of all: the thread is up, or cannot use the database. */
  | { readonly kind: 'opened'; readonly opened: Result<OpenedExecutor, ExecutorRefusal> }
  /** A read met damage of the database. Comes before the end of the call that it spoils. */
  | { readonly kind: 'damage'; readonly damage: DamageFinding }
  | { readonly kind: 'answer'; readonly id: number; readonly value: ExecutorAnswers[keyof ExecutorAnswers] }
  /** The call rejected with an InterpreterFault, whose class a message would lose. */
  | { readonly kind: 'fault'; readonly id: number; readonly transaction: Hash | undefined; readonly cause: unknown }
  /** The call threw otherwise. */
  | { readonly kind: 'failure'; readonly id: number; readonly error: unknown }
