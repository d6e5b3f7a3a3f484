import type { TransactionRefusal } from '@quoin/execution'
import type { Address, Crypto, Hash, Height, Result, SignedTransaction, Transaction } from '@quoin/protocol'
import type { Head } from '../chain/types.ts'
import type { Feed } from '../feed/types.ts'
import type { Mempool, PoolRefusal } from '../mempool/types.ts'
import type { BlockReader } from '../store/types.ts'

export interface AccountView {
  readonly nonce: number
  readonly balance: bigint
}

/** The state after a block. */
export interface StateView {
  account(address: Address): Promise<AccountView>
  /** Empty when the account has none. */
  code(address: Address): Promise<Uint8Array>
}

/** Everything that the RPC may know and do: readers and a `submit`. It never sees the database, the engine or a key. */
export interface RpcBackend {
  readonly chainId: number
  readonly clientVersion: string
  readonly crypto: Crypto
  readonly blocks: BlockReader
  readonly feed: Feed
  readonly pool: Pick<Mempool, 'get' | 'pendingNonce' | 'stats' | 'pending' | 'queued'>
  head(): Head
  /** Undefined when the history of that height is not kept. */
  stateAt(height: Height): StateView | undefined
  /** Base fee of the next block. */
  nextBaseFee(): bigint
  /** Gas that a call without code would use, or why it could not run. */
  estimate(call: EstimateRequest): Result<number, TransactionRefusal>
  submit(raw: Uint8Array): Promise<Result<Hash, PoolRefusal>>
  peerCount(): number
  /** Undefined while the node is at the head of what it knows. */
  syncing(): { readonly current: number; readonly highest: number } | undefined
}

export type EstimateRequest = Pick<Transaction, 'to' | 'data' | 'value' | 'accessList'>

/** A final block with its transactions decoded. */
export interface RpcBlock {
  readonly header: Head['header']
  readonly hash: Hash
  readonly transactions: readonly SignedTransaction[]
}
