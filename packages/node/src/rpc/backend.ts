import type { Address, Crypto, Hash, Height, Result, SignedTransaction } from '@quoin/protocol'
import type { Awaitable } from '../awaitable.ts'
import type { CallRunner } from '../executor/call-runner.ts'
import type { Feed } from '../feed/types.ts'
import type { Mempool, PoolRefusal } from '../mempool/types.ts'
import type { BlockReader } from '../store/types.ts'

export interface AccountView {
  readonly nonce: number
  readonly balance: bigint
}

/** The state after a block. */
export interface StateView {
  account(address: Address): Awaitable<AccountView>
  /** Undefined when the account has none. */
  code(address: Address): Promise<Uint8Array | undefined>
  /** Undefined where the contract stored nothing. A raw key has at most `stateKeyBytesMax` bytes. */
  storage(address: Address, rawKey: Uint8Array): Promise<Uint8Array | undefined>
}

/** What the RPC asks of the pool, which another thread may hold. */
export interface PoolView {
  /** A transaction that waits, or was verified recently. */
  get(hash: Hash): Promise<SignedTransaction | undefined>
  /** Next nonce of a sender, counting what waits; undefined when nothing of it does. */
  pendingNonce(sender: Address): Promise<number | undefined>
  stats(): Promise<PoolStats>
  /** Calls back for transactions as they are admitted, until the returned function is called. Some may be left out when they are many. */
  onAdmitted(listener: (transaction: SignedTransaction) => void): () => void
}

export type PoolStats = Mempool['stats']

/** Everything that the RPC may know and do: readers and a `submit`. It never sees the database, the engine or a key. */
export interface RpcBackend {
  readonly chainId: number
  readonly clientVersion: string
  readonly crypto: Crypto
  readonly blocks: BlockReader
  readonly feed: Feed
  readonly pool: PoolView
  readonly calls: Pick<CallRunner, 'run'>
  /** Undefined when the history of that height is not kept. */
  stateAt(height: Height): StateView | undefined
  /** Base fee of the next block. */
  nextBaseFee(): bigint
  /** The hash of a transaction that waits or is final now; a re-broadcast is answered like the first time. */
  submit(raw: Uint8Array): Promise<Result<Hash, PoolRefusal>>
  peerCount(): number
  /** Undefined while the node is at the head of what it knows. */
  syncing(): { readonly current: number; readonly highest: number } | undefined
}
