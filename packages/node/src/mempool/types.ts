import type { CandidateQueue, FillLimits, TransactionRefusal } from '@quoin/execution'
import type { Address, Hash, Height, Result, SignedTransaction, TransactionError } from '@quoin/protocol'

/** Why the pool did not take a transaction. `message` holds the words that stock Ethereum clients match. */
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

/** Why bytes did not become transactions. `unavailable`: this node cannot tell now, which says nothing of the bytes. */
export type VerifyRefusal = TransactionError | { readonly code: 'unavailable'; readonly message: string }

export type Origin = 'rpc' | 'gossip' | 'restored'

/** What the pool is told of a final block. */
export interface FinalTransactions {
  readonly height: Height
  readonly transactions: readonly SignedTransaction[]
  /** Of each of them. */
  readonly gasUsed: readonly number[]
  /** Accounts that the state before the block did not know. */
  readonly created: ReadonlySet<Address>
}

/** Verified transactions that wait for a block: nonce queues by sender. */
export interface Mempool {
  /** Decodes, recovers the sender (once, in batches) and admits. `already-known` names a transaction that is in the pool. */
  add(raw: Uint8Array, origin: Origin): Promise<Result<SignedTransaction, PoolRefusal>>
  /**
   * Decodes and recovers without admission: for the bodies of proposals and synced blocks. What the pool or an earlier call already
   * verified is not verified again. Bodies take turns of `verifyTurnMax` transactions, and wait as long as it takes.
   */
  verify(raws: readonly Uint8Array[]): Promise<Result<readonly SignedTransaction[], VerifyRefusal>>
  /** From the pool or from what was verified recently. */
  get(hash: Hash): SignedTransaction | undefined
  /**
   * Executable transactions for a block that takes no more than `fill`, and more of them than it can take. Where gas is free each sender has a queue, which
   * begins with what it used lately; newcomers share one. Where gas is charged all are in one queue, the best tip first. Nonces of a sender are in order.
   */
  candidates(fill: FillLimits): readonly CandidateQueue<SignedTransaction>[]
  /** How many could go into the next block. */
  readonly executableCount: number
  readonly stats: { readonly count: number; readonly bytes: number; readonly queued: number }
  /** Next nonce of a sender, counting what waits here; undefined when nothing of it does. */
  pendingNonce(sender: Address): number | undefined
  pending(): readonly SignedTransaction[]
  queued(): readonly SignedTransaction[]
  /** A block is final: removes what it contains, drops what can never run now, promotes what can, and counts what its senders used. */
  onBlock(block: FinalTransactions): void
  /** Drops transactions that a builder found unable to run on the head. */
  drop(hashes: readonly Hash[]): void
  /**
   * Keeps transactions out of `candidates` until the block of a height is final: those of a proposal that did not execute here as its
   * proposer said. They stay in the pool, or one faulty proposer could empty the pools of all others.
   */
  suspend(hashes: readonly Hash[], until: Height): void
  /**
   * Drops transactions for good and refuses them from now on, also after a restart: ones on which the contract interpreter fails. On disk when
   * it resolves; `height` is that of the block that was to hold them.
   */
  quarantine(hashes: readonly Hash[], height: Height): Promise<void>
  /** Calls back for each admitted transaction, until the returned function is called. */
  onAdmitted(listener: (transaction: SignedTransaction, origin: Origin) => void): () => void
  /** Gives back memory that can be had again: transactions that were verified and do not wait here. */
  dropCaches(): void
  close(): Promise<void>
}
