import type { BlockRefusal, BlockTemplate, BuiltBlock, ExecutedBlock, FillLimits, TreeRefusal } from '@quoin/execution'
import type { ChainId, Hash, Result } from '@quoin/protocol'

/** What the thread is started with. */
export interface ExecutorWorkerData {
  readonly databasePath: string
  readonly chainId: ChainId
  readonly treeDepth: number
  readonly historyHeights: number
}

/** A call of `Executor`; transactions are packed (`packTransactions`) and their buffer moves with the message. */
export type ExecutorCall =
  /** `genesis` is the JSON form: a validator set has a method, which no message carries. */
  | { readonly method: 'genesis'; readonly genesis: Readonly<Record<string, unknown>> }
  | {
      readonly method: 'build'
      readonly template: BlockTemplate
      readonly candidates: Uint8Array<ArrayBuffer>
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

export type ExecutorMessage =
  /** First of all: the thread is up, or cannot use the database. */
  | { readonly kind: 'opened'; readonly opened: Result<OpenedExecutor, TreeRefusal> }
  | { readonly kind: 'answer'; readonly id: number; readonly value: ExecutorAnswers[keyof ExecutorAnswers] }
  /** The call rejected with an EngineFault, whose class a message would lose. */
  | { readonly kind: 'fault'; readonly id: number; readonly transaction: Hash | undefined; readonly cause: unknown }
  /** The call threw otherwise: a bug, or a damaged database. */
  | { readonly kind: 'failure'; readonly id: number; readonly error: unknown }
