import type { KvOp, PlacedCreation } from '@quoin/execution'
import type {
  Address,
  CommitCertificate,
  Hash,
  Header,
  Height,
  PlacedReceipt,
  Receipt,
  TimeMs,
  ValidatorSet,
} from '@quoin/protocol'

/** A final block's header with its hash. */
export interface StoredHeader {
  readonly header: Header
  readonly hash: Hash
}

/** What tells a final block from all others, and when it was made. */
export interface BlockStamp {
  readonly hash: Hash
  readonly timeMs: TimeMs
}

/** Hash and sender of a final transaction, stored so that each sender is recovered only once in a node's life. */
export interface StoredSender {
  readonly hash: Hash
  readonly sender: Address
}

/** Position of a transaction in the chain. */
export interface TransactionLocation {
  readonly height: Height
  /** Position in the block, from 0. */
  readonly index: number
}

/** The transaction that created a contract. */
export interface ContractCreation extends TransactionLocation {
  /** Its sender, or the contract that created this one. */
  readonly creator: Address
}

/**
 * Read access to the chain of final blocks (for rpc, feed, sync). Reads are synchronous and consistent: the content of a height up to
 * `head` never changes. `undefined` means that this node does not have the height, hash or transaction.
 */
export interface BlockReader {
  /** The last final block. Throws before `createChain` has stored the genesis block. */
  readonly head: StoredHeader
  header(height: Height): StoredHeader | undefined
  /** The logs bloom in the block's header, without decoding the rest. Shared: do not change the bytes. */
  logsBloom(height: Height): Uint8Array | undefined
  /** Hash and time of a block, without decoding its header if it is old. */
  stamp(height: Height): BlockStamp | undefined
  heightOf(blockHash: Hash): Height | undefined
  /** The transactions in network encoding. Shared: do not change the bytes. */
  body(height: Height): readonly Uint8Array[] | undefined
  /** Hash and sender of each transaction, in the order of `body`. */
  senders(height: Height): readonly StoredSender[] | undefined
  receipts(height: Height): readonly Receipt[] | undefined
  /** The same for readers of a few of them: only those that are asked for are decoded, and each time again. */
  singleReceipts(height: Height): SingleReceipts | undefined
  /** `receiptsCodec` encoding, for scans of old blocks that decoding would slow down. Shared: do not change the bytes. */
  encodedReceipts(height: Height): Uint8Array | undefined
  /** The hash of a transaction by its index in the block, without decoding what `senders` returns. */
  transactionHashes(height: Height): ((index: number) => Hash) | undefined
  /** The proof that the block is final; undefined for genesis. */
  certificate(height: Height): CommitCertificate | undefined
  /** Validator set of a height, from 1 to head + 2. */
  validators(height: Height): ValidatorSet | undefined
  locate(transactionHash: Hash): TransactionLocation | undefined
  /** `certifiedBlockCodec` encoding as stored on disk, which block sync sends. Undefined for genesis. */
  certifiedBlock(height: Height): Uint8Array | undefined
}

/** The receipts of a block, one by one. */
export interface SingleReceipts {
  /** Throws if the block has no receipt at this index, or if it is damaged. */
  at(index: number): PlacedReceipt
}

/** The content that validators signed, with the proof. */
export interface FinalBlock {
  readonly header: Header
  readonly hash: Hash
  readonly transactions: readonly { readonly raw: Uint8Array; readonly hash: Hash; readonly sender: Address }[]
  /** Undefined for genesis. */
  readonly certificate: CommitCertificate | undefined
}

/** Everything that one block adds to the database. */
export interface BlockRecord extends FinalBlock {
  readonly transactions: readonly (FinalBlock['transactions'][number] & { readonly to: Address | undefined })[]
  /** Contracts that the transactions created. */
  readonly creations: readonly PlacedCreation[]
  /** `receiptsCodec` encoding. */
  readonly receipts: Uint8Array
  /** Validator sets that this block determines: of heights 1 and 2 by genesis, of height + 2 by each later block. */
  readonly validators: readonly { readonly height: Height; readonly set: ValidatorSet }[]
  /** Execution's writes to state, history and tree. */
  readonly ops: readonly KvOp[]
}
