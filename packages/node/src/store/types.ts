import type { KvOp } from '@quoin/execution'
import type { Address, CommitCertificate, Hash, Header, Height, Receipt, ValidatorSet } from '@quoin/protocol'

/** A final block's header under its hash. */
export interface StoredHeader {
  readonly header: Header
  readonly hash: Hash
}

/** What is known of a final transaction without decoding it: each sender is recovered once in a node's life. */
export interface StoredSender {
  readonly hash: Hash
  readonly sender: Address
}

export interface TransactionLocation {
  readonly height: Height
  /** Position in the block, from 0. */
  readonly index: number
}

/**
 * What readers (rpc, feed, sync) see of the chain of final blocks. Reads are synchronous and consistent with each other: what a height
 * up to `head` holds never changes. `undefined` is a height, hash or transaction that this node does not have.
 */
export interface BlockReader {
  /** The last final block. Throws before the genesis block is stored, which `createChain` does. */
  readonly head: StoredHeader
  header(height: Height): StoredHeader | undefined
  /** The header's filter of its block's logs, without the rest of it. Shared: do not change the bytes. */
  logsBloom(height: Height): Uint8Array | undefined
  heightOf(blockHash: Hash): Height | undefined
  /** The transactions as the network encodes them. Shared: do not change the bytes. */
  body(height: Height): readonly Uint8Array[] | undefined
  /** Hash and sender of each transaction, in the order of `body`. */
  senders(height: Height): readonly StoredSender[] | undefined
  receipts(height: Height): readonly Receipt[] | undefined
  /** The proof that the block is final; genesis has none. */
  certificate(height: Height): CommitCertificate | undefined
  /** Voters of a height, from 1 to head + 2. */
  validators(height: Height): ValidatorSet | undefined
  locate(transactionHash: Hash): TransactionLocation | undefined
  /** `certifiedBlockCodec` encoding, as it lies on disk: what block sync sends. Absent for genesis. */
  certifiedBlock(height: Height): Uint8Array | undefined
}

/** What the validators signed, with the proof that they did. */
export interface FinalBlock {
  readonly header: Header
  readonly hash: Hash
  readonly transactions: readonly { readonly raw: Uint8Array; readonly hash: Hash; readonly sender: Address }[]
  /** Absent for genesis. */
  readonly certificate: CommitCertificate | undefined
}

/** Everything that one block adds to the database. */
export interface BlockRecord extends FinalBlock {
  /** `receiptsCodec` encoding. */
  readonly receipts: Uint8Array
  /** Sets that this block fixes: of heights 1 and 2 by genesis, of height + 2 by each later block. */
  readonly validators: readonly { readonly height: Height; readonly set: ValidatorSet }[]
  /** Execution's writes to state, history and tree. */
  readonly ops: readonly KvOp[]
}
