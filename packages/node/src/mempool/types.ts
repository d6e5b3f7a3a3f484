import type { CandidateQueue, FillLimits, TransactionRefusal } from '@quoin/execution'
import type { Address, Hash, Height, Result, SignedTransaction, TransactionError } from '@quoin/protocol'

/** Why the pool refused a transaction. `message` contains the phrases that standard Ethereum clients match. */
export interface PoolRefusal {
  readonly code:
    | TransactionError['code']
    | TransactionRefusal['code']
    | 'already-known'
    | 'underpriced-replacement'
    | 'sender-queue-full'
    | 'pool-full'
    | 'overloaded'
    | 'quarantined'
    | 'stopped'
  readonly message: string
}

/** Why bytes could not be verified as transactions. `unavailable`: this node cannot tell now, so the bytes may be valid. */
export type VerifyRefusal = TransactionError | { readonly code: 'unavailable'; readonly message: string }

/** Source of a transaction: a client of this node (`rpc`), a peer (`gossip`), or a saved pool (`restored`). */
export type Origin = 'rpc' | 'gossip' | 'restored'

/** A final block, as reported to the pool. */
export interface FinalTransactions {
  readonly height: Height
  readonly transactions: readonly SignedTransaction[]
  /** Gas used by each transaction. */
  readonly gasUsed: readonly number[]
  /** Accounts that the state before the block did not contain. */
  readonly created: ReadonlySet<Address>
}

/** A transaction in the pool. */
export interface PooledTransaction {
  readonly transaction: SignedTransaction
  /** It waits for a missing nonce of its sender. If not, it could go into the next block. */
  readonly isQueued: boolean
}

/** The transaction pool: verified transactions that wait for a block, as nonce queues by sender. */
export interface Mempool {
  /**
   * Decodes a transaction, recovers its sender (once, in batches) and admits it. `already-known` means that the transaction is in the pool.
   *
   * @param hash keccak256 of `raw`, if the caller has it
   */
  add(raw: Uint8Array, origin: Origin, hash?: Hash): Promise<Result<SignedTransaction, PoolRefusal>>
  /**
   * Decodes transactions and recovers their senders without admitting them: for the bodies of proposals and synced blocks. Transactions
   * verified before, by the pool or an earlier call, are not verified again. Bodies are verified in turns of `verifyTurnMax` transactions,
   * with no time limit.
   */
  verify(raws: readonly Uint8Array[]): Promise<Result<readonly SignedTransaction[], VerifyRefusal>>
  /** The transaction if it waits in the pool. One that was refused, replaced or dropped does not, and neither does a final one. */
  waiting(hash: Hash): SignedTransaction | undefined
  /** A transaction whose sender is known: it is in the pool, or was verified recently and may have been refused. */
  verified(hash: Hash): SignedTransaction | undefined
  /**
   * Executable transactions for a block that holds at most `fill`, and more of them than it can take. Where gas is free each sender has a
   * queue, tagged with its recent use; newcomers share one. Where gas is charged all are in one queue, best tip first. Each sender's nonces
   * are in order.
   */
  candidates(fill: FillLimits): readonly CandidateQueue<SignedTransaction>[]
  /** Number of transactions that could go into the next block. */
  readonly executableCount: number
  readonly stats: { readonly count: number; readonly bytes: number; readonly queued: number }
  /** The sender's next nonce, counting executable transactions in the pool; undefined if it has none. */
  pendingNonce(sender: Address): number | undefined
  pending(): readonly SignedTransaction[]
  queued(): readonly SignedTransaction[]
  /**
   * Walks over the pool, or over the transactions of one sender: senders in order of arrival, the transactions of a sender by nonce. The pool
   * may change during the walk, which shows the senders of its beginning, each once, with their transactions as they are when it reaches them.
   */
  walk(sender?: Address): IterableIterator<PooledTransaction>
  /**
   * Handles a final block: removes its transactions, drops those that can never run now, promotes those that can run, and counts the
   * senders' use.
   */
  onBlock(block: FinalTransactions): void
  /** Drops transactions that a builder found unable to run on the head. */
  drop(hashes: readonly Hash[]): void
  /**
   * Keeps transactions out of `candidates` until the block of height `until` is final. For transactions of a proposal that this node
   * executed with another result than its proposer. They stay in the pool; otherwise one faulty proposer could empty the pools of all
   * nodes.
   */
  suspend(hashes: readonly Hash[], until: Height): void
  /**
   * Drops transactions permanently and refuses them from now on, also after a restart: for transactions on which the contract interpreter
   * fails. Resolves when it is on disk. `height` is the height of the block that would have contained them.
   */
  quarantine(hashes: readonly Hash[], height: Height): Promise<void>
  /** Calls `listener` for each admitted transaction, until the returned function is called. */
  onAdmitted(listener: (transaction: SignedTransaction, origin: Origin) => void): () => void
  /** Frees memory that can be rebuilt: verified transactions that are not in the pool. */
  dropCaches(): void
  close(): Promise<void>
}
