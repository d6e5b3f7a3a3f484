import type { Address, Genesis, Hash, Header, HeaderExtra, Result, TimeMs } from '@quoin/protocol'

/**
 * Turns a block and its parent's state into the block's header, receipts and database writes. It is asynchronous because the
 * production executor runs in a worker thread; the same code runs inline in the simulator and in tests. Calls are served one at a
 * time, in order.
 *
 * A block's whole outcome is in its header (state root, receipts root, gas, bloom), and the executor builds the header itself: a
 * proposed block is valid exactly if executing it gives the proposed hash.
 */
export interface Executor {
  /** Hash of everything that decides how transactions execute. It is part of genesis and of each header. */
  readonly version: Hash
  /** Block 0 and its writes, which must be committed before anything else. */
  genesis(genesis: Genesis): Promise<ExecutedBlock>
  /**
   * Builds a block from queues that take turns (`turns.ts`). Leaves out candidates that do not fit or are no longer valid.
   *
   * @throws InterpreterFault when this machine fails; the executor remains usable
   */
  build(template: BlockTemplate, queues: readonly CandidateQueue[], fill: FillLimits): Promise<BuiltBlock>
  /**
   * Executes a given list of transactions. Refuses the list if one of them is not valid in the block.
   *
   * @param isDecided the other validators have already executed and decided the block, so this node must execute it too, however
   *   long it takes
   * @throws InterpreterFault when this machine fails; the executor remains usable
   */
  execute(
    template: BlockTemplate,
    transactions: readonly ExecutableTransaction[],
    isDecided?: boolean,
  ): Promise<Result<ExecutedBlock, BlockRefusal>>
  /**
   * Call when the block's writes are in the database: later calls build on it. All other executed blocks of that height are
   * dropped. At most `executedBlocksMax` results are kept per height, the least recently used one is evicted first.
   *
   * @throws Error for an evicted or unknown hash: a bug of the caller
   */
  commit(blockHash: Hash): Promise<void>
  close(): Promise<void>
}

/** Fields of a block that are known before its transactions run. Gas limit and base fee follow from the parent and its state. */
export interface BlockTemplate {
  readonly parent: Header
  readonly parentHash: Hash
  readonly timeMs: TimeMs
  readonly miner: Address
  readonly extra: HeaderExtra
}

/** A transaction in its network encoding. The node has already recovered the sender. */
export interface ExecutableTransaction {
  readonly raw: Uint8Array
  readonly sender: Address
}

/** A transaction that may be included in a block. */
export interface Candidate extends ExecutableTransaction {
  readonly gasLimit: number
}

/** Candidates that share one turn, of one sender or several. They are taken in order; the nonces of a sender are consecutive. */
export interface CandidateQueue<T extends Candidate = Candidate> {
  /** Gas that its senders used recently, before this block, as far as it counts. */
  readonly use: number
  readonly candidates: readonly T[]
}

/** Limits of the block that a proposer builds; the block's own limits apply too. */
export interface FillLimits {
  readonly gasMax: number
  readonly bytesMax: number
  /**
   * Fraction of gas and bytes, above 0 to 1: once a block has used this much, it takes no further transaction. A transaction whose gas
   * limit is larger fits nevertheless, because only `gasMax` restricts gas limits.
   */
  readonly part: number
}

export interface ExecutedBlock {
  readonly header: Header
  readonly hash: Hash
  /** `receiptsCodec` encoding. */
  readonly receipts: Uint8Array
  /** Gas used by each transaction, as in its receipt. */
  readonly gasUsed: readonly number[]
  /** Contracts that the block's transactions created, in their order. For indexes: no header commits to them. */
  readonly creations: readonly PlacedCreation[]
  /** `packOps` encoding of the writes to state, history and tree. */
  readonly ops: Uint8Array
}

/** A contract that a transaction created, itself or by another contract. */
export interface PlacedCreation {
  /** Position of the transaction in the block. */
  readonly index: number
  readonly contract: Address
  /** The sender of the transaction, or the contract that created this one. */
  readonly creator: Address
}

export interface BuiltBlock extends ExecutedBlock {
  /** Positions among the candidates of all queues (counted through in order), in the block's order. */
  readonly included: readonly number[]
  /** Candidates that can never be valid on this state (used nonce, insufficient funds, not permitted), with the reason. */
  readonly refused: readonly { readonly index: number; readonly reason: TransactionRefusal }[]
}

/** Why a transaction is not valid in a block. The messages use the phrases that common clients match. */
export interface TransactionRefusal {
  readonly code:
    | 'nonce-too-low'
    | 'nonce-too-high'
    | 'insufficient-funds'
    | 'intrinsic-gas-too-low'
    | 'gas-limit-too-high'
    | 'fee-too-low'
    | 'tip-above-fee'
    | 'not-permitted'
    | 'malformed'
  readonly message: string
}

export type BlockRefusal =
  | {
      readonly code: 'invalid-transaction'
      readonly index: number
      readonly reason: TransactionRefusal
      readonly message: string
    }
  | { readonly code: 'gas-limit' | 'lane-full' | 'too-many-transactions' | 'body-too-large' | 'time'; readonly message: string }
