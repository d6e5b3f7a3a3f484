import type { BlockRefusal } from '@quoin/execution'
import type {
  Address,
  ChainParameters,
  CommitCertificate,
  Hash,
  Header,
  Height,
  RegisteredNode,
  Result,
  SignedTransaction,
  SigningDomain,
  TimeMs,
  ValidatorSet,
} from '@quoin/protocol'
import type { EndingError } from '../health/ending-error.ts'

/** The last final block and the values that follow from its state. Replaced as a whole at each commit. */
export interface Head {
  readonly header: Header
  readonly hash: Hash
  /** Undefined for genesis. */
  readonly certificate: CommitCertificate | undefined
  readonly parameters: ChainParameters
  /** Validators that vote on the next block (height + 1), and on the one after. */
  readonly validators: ValidatorSet
  readonly nextValidators: ValidatorSet
  /** Nodes that may stay connected. */
  readonly nodes: readonly RegisteredNode[]
  /** Why this node must not go on: it neither builds nor validates the next block. It still commits one that the others have decided. */
  readonly stop: EndingError | undefined
}

/** A candidate for the next height, with verified transactions. */
export interface CandidateBlock {
  readonly header: Header
  readonly hash: Hash
  readonly transactions: readonly SignedTransaction[]
}

/**
 * The chain of final blocks: builds, validates and commits the next block. Only the engine (consensus) and block sync call it, and both
 * await each call. Each block is executed once: the result of `build` and `validate` is kept until its height is committed.
 */
export interface Chain {
  /** Domain to which votes, proposals and certificates of this chain are bound. */
  readonly domain: SigningDomain
  readonly head: Head
  /** Validator set of a height, from 1 to head + 2. */
  validatorsAt(height: Height): ValidatorSet | undefined
  /**
   * Builds the next block from the pool's candidates. `fillGasMax` shrinks with the round. A transaction on which the contract interpreter
   * fails is quarantined, and the block is built without it.
   */
  build(request: BuildRequest): Promise<CandidateBlock>
  /**
   * Checks whether a block is valid on the head: header rules, every transaction, and the header that execution yields. If execution yields
   * another header, the block's transactions stay out of this node's blocks for a while. For a decided block (`isDecided`) this node spends
   * more time before it gives up than for a proposal.
   */
  validate(block: CandidateBlock, isDecided?: boolean): Promise<Result<void, ValidationError>>
  /** Stores a validated or built block with its certificate in one synced batch, then notifies the executor, pool and feed. */
  commit(block: CandidateBlock, certificate: CommitCertificate): Promise<Head>
  /** Calls `listener` after each commit, until the returned function is called. Listeners must not throw. */
  onHead(listener: (head: Head) => void): () => void
}

export interface BuildRequest {
  readonly timeMs: TimeMs
  readonly feeAddress: Address
  readonly fillGasMax: number
  /** Fraction of the block that may be used, above 0 to 1 (`FillLimits`); 1 by default. */
  readonly fillPart?: number | undefined
}

export type ValidationError =
  | { readonly code: 'header' | 'root-mismatch'; readonly message: string }
  /** This machine failed to execute the block; the block may be valid. `transaction` is the one that was running, if known. */
  | { readonly code: 'interpreter-fault'; readonly transaction: Hash | undefined; readonly message: string }
  | BlockRefusal
