import type { Address, Crypto, Evidence, Hash, Height, Result, SignedTransaction } from '@quoin/protocol'
import type { Awaitable } from '../awaitable.ts'
import type { CallRunner } from '../executor/call-runner.ts'
import type { ProofRunner } from '../executor/proof-runner.ts'
import type { Client } from '../fair-queue.ts'
import type { Feed } from '../feed/types.ts'
import type { Mempool, PooledTransaction, PoolRefusal } from '../mempool/types.ts'
import type { IndexReader } from '../store/block-index.ts'
import type { BlockReader } from '../store/types.ts'
import type { MemberReader } from './identity/members.ts'
import type { Registry } from './registry.ts'

export interface AccountView {
  readonly nonce: number
  readonly balance: bigint
}

/** The state after a block. */
export interface StateView {
  account(address: Address): Awaitable<AccountView>
  /** Undefined if the account has no code. */
  code(address: Address): Promise<Uint8Array | undefined>
  /** Undefined if nothing is stored under the key. A raw key has at most `stateKeyBytesMax` bytes. */
  storage(address: Address, rawKey: Uint8Array): Promise<Uint8Array | undefined>
}

/** The RPC's view of the pool, which may be in another thread. */
export interface PoolView {
  /** A transaction that waits in the pool. Look for it in the chain again if there is none: it may have become final in the meantime. */
  get(hash: Hash): Promise<SignedTransaction | undefined>
  /** Next nonce of a sender after its transactions in the pool; undefined if there are none. */
  pendingNonce(sender: Address): Promise<number | undefined>
  stats(): Promise<PoolStats>
  /**
   * Walks over the pool, or over the transactions of one sender, in the order of `Mempool.walk`. If the pool is in another thread, a few
   * walks run at a time, and clients take turns.
   */
  walk(sender: Address | undefined, client: Client): AsyncIterable<PooledTransaction>
  /** Calls back for each admitted transaction, until the returned function is called. May skip some under high load. */
  onAdmitted(listener: (transaction: SignedTransaction) => void): () => void
}

/** State proofs of recent blocks. */
export interface ProofSource extends Pick<ProofRunner, 'run'> {
  /** Number of blocks before the head whose state can be proved; 0 if the node makes no proofs at all. */
  readonly blocks: number
  /** The first block whose state can be proved. Later than `blocks` before the head if the node began to keep proofs later. */
  oldest(): Height
}

export type PoolStats = Mempool['stats']

/** Everything that the RPC can access: readers, and `submit`. It has no access to the database, the engine or keys. */
export interface RpcBackend {
  readonly chainId: number
  readonly clientVersion: string
  /** No other node has this chain, as in development: a block above the head exists nowhere. */
  readonly standsAlone: boolean
  readonly crypto: Crypto
  readonly blocks: BlockReader
  readonly index: IndexReader
  readonly feed: Feed
  readonly pool: PoolView
  readonly calls: Pick<CallRunner, 'run'>
  readonly proofs: ProofSource
  readonly members: MemberReader
  readonly registry: Registry
  /** Undefined if the history of that height is no longer kept. */
  stateAt(height: Height): StateView | undefined
  /** Base fee of the next block. */
  nextBaseFee(): bigint
  /** Submits a transaction and returns its hash. A transaction that is already in the pool or final gives the same answer. */
  submit(raw: Uint8Array): Promise<Result<Hash, PoolRefusal>>
  peerCount(): number
  /** Evidence of equivocation that this node keeps. */
  evidence(): Promise<readonly Evidence[]>
  /** Fee address of this node's validator; undefined if the node is not in the validator set. */
  coinbase(): Address | undefined
  /** Sync progress; undefined if the node has every block that it knows of. */
  syncing(): { readonly current: number; readonly highest: number } | undefined
  /** Calls back when `syncing` may have changed without a new block, until the returned function is called. */
  onSyncing(listener: () => void): () => void
}
