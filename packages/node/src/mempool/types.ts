import type { TransactionRefusal } from '@quoin/execution'
import type { Address, Hash, Header, Result, SignedTransaction, TransactionError } from '@quoin/protocol'

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
  readonly message: string
}

export type Origin = 'rpc' | 'gossip' | 'restored'

/** Verified transactions that wait for a block: nonce queues by sender. */
export interface Mempool {
  /** Decodes, recovers the sender (once, in batches) and admits. `already-known` names a transaction that is in the pool. */
  add(raw: Uint8Array, origin: Origin): Promise<Result<SignedTransaction, PoolRefusal>>
  /**
   * Decodes and recovers without admission: for the bodies of proposals and synced blocks. What the pool or an earlier call already
   * verified is not verified again.
   */
  verify(raws: readonly Uint8Array[]): Promise<Result<readonly SignedTransaction[], TransactionError>>
  /** From the pool or from what was verified recently. */
  get(hash: Hash): SignedTransaction | undefined
  /** Executable transactions in the order in which a block should take them: best fee first, nonces of a sender in order. */
  candidates(limits: {
    readonly gasMax: number
    readonly countMax: number
    readonly bytesMax: number
  }): readonly SignedTransaction[]
  /** How many could go into the next block. */
  readonly executableCount: number
  readonly stats: { readonly count: number; readonly bytes: number; readonly queued: number }
  /** Next nonce of a sender, counting what waits here; undefined when nothing of it does. */
  pendingNonce(sender: Address): number | undefined
  pending(): readonly SignedTransaction[]
  queued(): readonly SignedTransaction[]
  /** A block is final: removes what it contains, drops what can never run now, promotes what can. */
  onBlock(header: Header, included: readonly SignedTransaction[]): void
  /** Drops transactions that a builder found unable to run on the head. */
  drop(hashes: readonly Hash[]): void
  /** Takes transactions out for `heights` blocks: an engine fault or a proposal whose root did not match. */
  quarantine(hashes: readonly Hash[], heights: number): void
  /** Calls back for each admitted transaction, until the returned function is called. */
  onAdmitted(listener: (transaction: SignedTransaction, origin: Origin) => void): () => void
  close(): Promise<void>
}
