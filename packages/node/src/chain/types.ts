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

/** The last final block and what follows from its state. Replaced as a whole at each commit. */
export interface Head {
  readonly header: Header
  readonly hash: Hash
  /** Absent for genesis. */
  readonly certificate: CommitCertificate | undefined
  readonly parameters: ChainParameters
  /** Who votes on the next block (height + 1), and on the one after. */
  readonly validators: ValidatorSet
  readonly nextValidators: ValidatorSet
  /** Machines that may stay connected. */
  readonly nodes: readonly RegisteredNode[]
}

/** A candidate for the next height with verified transactions. */
export interface CandidateBlock {
  readonly header: Header
  readonly hash: Hash
  readonly transactions: readonly SignedTransaction[]
}

/**
 * The chain of final blocks: builds, validates and commits the next one. Only the engine (consensus) and block sync call it; both
 * await each call. Each block is executed once: the outcome of `build` and `validate` is kept until its height is committed.
 */
export interface Chain {
  /** What votes, proposals and certificates of this chain are bound to. */
  readonly domain: SigningDomain
  readonly head: Head
  /** Voters of a height from 1 to head + 2. */
  validatorsAt(height: Height): ValidatorSet | undefined
  /**
   * Makes the next block from the pool's candidates. `fillGasMax` shrinks with the round. One on which the contract interpreter fails is
   * quarantined, and the block made without it.
   */
  build(request: BuildRequest): Promise<CandidateBlock>
  /**
   * Whether the block is valid on the head: header rules, every transaction, and the header that execution yields. Transactions of one that
   * yields another header stay out of our blocks for a while. For a block that is `isDecided` this node takes more time than for another one's
   * proposal, before it gives up.
   */
  validate(block: CandidateBlock, isDecided?: boolean): Promise<Result<void, ValidationError>>
  /** Stores a validated or built block with its certificate in one synced batch, then tells the executor, pool and feed. */
  commit(block: CandidateBlock, certificate: CommitCertificate): Promise<Head>
  /** Calls back after each commit, until the returned function is called. Listeners must not throw. */
  onHead(listener: (head: Head) => void): () => void
}

export interface BuildRequest {
  readonly timeMs: TimeMs
  readonly feeAddress: Address
  readonly fillGasMax: number
}

export type ValidationError =
  | { readonly code: 'header' | 'root-mismatch'; readonly message: string }
  /** This machine failed to execute the block, which says nothing of the block. `transaction`: the one that ran, where it is known. */
  | { readonly code: 'interpreter-fault'; readonly transaction: Hash | undefined; readonly message: string }
  | BlockRefusal
