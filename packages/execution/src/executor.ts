import type { Address, ExtraData, Genesis, Hash, Header, Result, TimeMs } from '@quoin/protocol'

/**
 * Turns a block and its parent's state into the block's header, receipts and database writes. Asynchronous, because the real one
 * lives in a worker thread; the same code runs inline in the simulator and in tests. Calls are served one at a time, in order.
 *
 * A block's whole outcome stands in its header (state root, receipts root, gas, bloom), and the executor makes the header itself: a
 * proposed block is valid exactly if executing it yields the proposed hash.
 */
export interface Executor {
  /** Hash of everything that decides how transactions execute; stands in genesis and in each header. */
  readonly version: Hash
  /** Block 0 and its writes. Must be committed before anything else. */
  genesis(genesis: Genesis): Promise<ExecutedBlock>
  /** Fills a block from queues that take turns (`turns.ts`), leaving out what does not fit or is not valid any more. */
  build(template: BlockTemplate, queues: readonly CandidateQueue[], fill: FillLimits): Promise<BuiltBlock>
  /**
   * Executes a given list of transactions. Refuses when one of them may not stand in a block. `isDecided`: the others have executed the block, and
   * the caller must too, however long it takes.
   */
  execute(
    template: BlockTemplate,
    transactions: readonly ExecutableTransaction[],
    isDecided?: boolean,
  ): Promise<Result<ExecutedBlock, BlockRefusal>>
  /**
   * The block's writes are in the database: later calls build on it. All other executed blocks of that height are forgotten. At most
   * `executedBlocksMax` outcomes are kept per height, the one used longest ago goes first; an evicted or unknown hash is a bug of the
   * caller and throws.
   */
  commit(blockHash: Hash): Promise<void>
  close(): Promise<void>
}

/** What is decided about a block before its transactions run. Gas limit and base fee follow from the parent and its state. */
export interface BlockTemplate {
  readonly parent: Header
  readonly parentHash: Hash
  readonly timeMs: TimeMs
  readonly miner: Address
  readonly extra: Omit<ExtraData, 'milliseconds'>
}

/** A transaction in its network encoding, with the sender that the node recovered once. */
export interface ExecutableTransaction {
  readonly raw: Uint8Array
  readonly sender: Address
}

/** A transaction that a block may take. */
export interface Candidate extends ExecutableTransaction {
  readonly gasLimit: number
}

/** Candidates that share one turn: those of a sender, or of several. They are taken in their order; the nonces of a sender follow one another. */
export interface CandidateQueue<T extends Candidate = Candidate> {
  /** Gas that its senders used before this block, as far as it counts. */
  readonly use: number
  readonly candidates: readonly T[]
}

/** How much a proposer puts into a block; never more than the block's own limits. */
export interface FillLimits {
  readonly gasMax: number
  readonly bytesMax: number
}

export interface ExecutedBlock {
  readonly header: Header
  readonly hash: Hash
  /** `receiptsCodec` encoding. */
  readonly receipts: Uint8Array
  /** Gas that each transaction used, as its receipt has it. */
  readonly gasUsed: readonly number[]
  /** `packOps` encoding of the writes to state, history and tree. */
  readonly ops: Uint8Array
}

export interface BuiltBlock extends ExecutedBlock {
  /** Positions among all candidates, queue behind queue, in the block's order. */
  readonly included: readonly number[]
  /** Candidates that can never stand in a block on this state (nonce used, funds short, not permitted), with the reason. */
  readonly refused: readonly { readonly index: number; readonly reason: TransactionRefusal }[]
}

/** Why a transaction may not stand in a block. The messages are those that stock clients know. */
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
  | { readonly code: 'gas-limit' | 'too-many-transactions' | 'body-too-large' | 'time'; readonly message: string }
