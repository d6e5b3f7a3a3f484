import type { BlockRefusal, BlockTemplate, BuiltBlock, ExecutedBlock, FillLimits, TreeRefusal } from '@quoin/execution'
import type { ChainId, Hash, Result } from '@quoin/protocol'
import type { DamageFinding } from '../store/damage.ts'

/** Start data of the thread. */
export interface ExecutorWorkerData {
  readonly databasePath: string
  readonly chainId: ChainId
  readonly treeDepth: number
  readonly historyHeights: number
}

/** A call of `Executor`. Transactions are packed (`packTransactions`, `packQueues`), and their buffer is transferred. */
export type ExecutorCall =
  /** `genesis` is in JSON form, because a validator set has a method and is not cloneable. */
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
  /** Shared memory of `Turns`. */
  readonly turns: SharedArrayBuffer
}

/** Why the thread cannot use the database. */
export type ExecutorRefusal = TreeRefusal | { readonly code: 'damaged'; readonly message: string }

export type ExecutorMessage =
  /** The first message: the thread is ready, or cannot use the database. */
  | { readonly kind: 'opened'; readonly opened: Result<OpenedExecutor, ExecutorRefusal> }
  /** A read found damage in the database. Sent before the end of the call that it invalidates. */
  | { readonly kind: 'damage'; readonly damage: DamageFinding }
  | { readonly kind: 'answer'; readonly id: number; readonly value: ExecutorAnswers[keyof ExecutorAnswers] }
  /** The call rejected with an InterpreterFault. A message of its own, because cloning loses the class. */
  | { readonly kind: 'fault'; readonly id: number; readonly transaction: Hash | undefined; readonly cause: unknown }
  /** The call threw another error. */
  | { readonly kind: 'failure'; readonly id: number; readonly error: unknown }
