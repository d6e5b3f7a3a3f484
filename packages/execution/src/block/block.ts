import {
  type Address,
  addToBloom,
  type Crypto,
  codec,
  concatBytes,
  emptyBloom,
  err,
  type Gas,
  Hash,
  type Header,
  LIMITS,
  merkleRoot,
  nextHeight,
  numberToBytes,
  ok,
  type Receipt,
  type Result,
  receiptCodec,
  type Transaction,
  transactionsRoot,
} from '@quoin/protocol'
import type { Contracts } from '../contract/contracts.ts'
import { Machine } from '../contract/machine.ts'
import type { BlockContext } from '../contract/message.ts'
import type { BlockRefusal, BlockTemplate, FillLimits, PlacedCreation, TransactionRefusal } from '../executor.ts'
import { onBehalfOf } from '../fault.ts'
import type { Journal } from '../state/journal.ts'
import type { KvOp, KvReader } from '../state/kv.ts'
import { readParameters } from '../state/system-records.ts'
import { nextBaseFee } from './fees.ts'
import { LANE, laneGasMax } from './lane.ts'
import { sendingRules } from './sending.ts'
import {
  applyTransaction,
  chargedPolicy,
  checkAccount,
  checkRules,
  type TransactionFailure,
  type TransactionRules,
} from './transaction.ts'

/** A decoded transaction with its sender. The caller guarantees the sender. */
export interface SenderTransaction {
  readonly transaction: Transaction
  readonly sender: Address
}

/** Rules of a block, given by its parent's header and state. */
export interface BlockRules extends TransactionRules {
  readonly gasLimit: Gas
  readonly feeAddress: Address
  /** Whether an account with code may send transactions, against EIP-3607. True only where senders are impersonated. */
  readonly contractsSend: boolean
}

/** Block data that contracts can read. */
export const blockContext = ({ parent, timeMs }: BlockTemplate, { gasLimit, feeAddress, baseFee }: BlockRules): BlockContext => ({
  number: nextHeight(parent.number),
  timeMs,
  proposer: feeAddress,
  gasLimit,
  baseFee,
})

/** The rules of the block on top of `template.parent`, whose state `reader` holds. */
export function blockRules(template: BlockTemplate, reader: KvReader, contractsSend = false): BlockRules {
  const parameters = readParameters(reader).value
  return {
    feePolicy: parameters.feePolicy,
    transactionGasMax: parameters.transactionGasMax,
    baseFee: nextBaseFee(template.parent, parameters),
    sending: sendingRules(reader, template.timeMs),
    gasLimit: parameters.blockGasMax,
    feeAddress: template.miner,
    contractsSend,
  }
}

/** Observer for a block's transactions. It must not affect the block's result. */
export interface BlockObserver {
  /**
   * Called with a transaction's hash before work on it begins, and with undefined after it. If the thread dies, this shows which
   * transaction was running.
   */
  readonly onTransaction?: ((hash: Hash | undefined) => void) | undefined
  /** Called when a transaction fails. A failed transaction is still part of the block. */
  readonly onFailure?: ((hash: Hash, failure: TransactionFailure) => void) | undefined
}

/** The part of a transaction that decides whether it fits into the block. */
type Sized = Pick<Transaction, 'raw'> & { readonly gasLimit: number }

/** Result of offering a transaction to a block. */
export type Offered =
  | { readonly kind: 'included' }
  /** The transaction is not valid at this position. */
  | { readonly kind: 'refused'; readonly reason: TransactionRefusal }
  /** The transaction would exceed one of the block's limits. */
  | { readonly kind: 'no-room'; readonly refusal: BlockRefusal }

/** Executes a block's transactions one after the other. */
export class BlockRun {
  readonly rules: BlockRules
  readonly machine: Machine
  readonly #crypto: Crypto
  readonly #observer: BlockObserver
  readonly #hashes: Hash[] = []
  /** Concatenated `receiptCodec` encodings, and the end of each. */
  readonly #receipts = new codec.Writer()
  readonly #receiptEnds: number[] = []
  readonly #bloom = emptyBloom()
  readonly #imageOps: KvOp[] = []
  readonly #gasOfEach: number[] = []
  readonly #creations: PlacedCreation[] = []
  #gasUsed = 0
  #bytes = 0
  /** Transactions of the lane so far, and the gas that they have used. */
  #laneCount = 0
  #laneGas = 0

  constructor(contracts: Contracts, rules: BlockRules, journal: Journal, block: BlockContext, observer: BlockObserver = {}) {
    this.#crypto = contracts.crypto
    this.#observer = observer
    this.rules = rules
    this.machine = new Machine(contracts, journal, block)
  }

  get journal(): Journal {
    return this.machine.journal
  }

  get gasUsed(): number {
    return this.#gasUsed
  }

  /** Gas used by each transaction so far. */
  get gasOfEach(): readonly number[] {
    return this.#gasOfEach
  }

  /** Contracts created so far. */
  get creations(): readonly PlacedCreation[] {
    return this.#creations
  }

  get count(): number {
    return this.#hashes.length
  }

  /** Hashes of the transactions so far. */
  get hashes(): readonly Hash[] {
    return this.#hashes
  }

  /** Database writes for images that are not stored yet, of the codes that were used. Not part of the state. */
  get imageOps(): readonly KvOp[] {
    return this.#imageOps
  }

  /**
   * Runs a transaction if the rules admit it and it fits. This is the only way to add a transaction, and all work for the
   * transaction happens in here.
   *
   * @param room limits below the block's own; by default only the block's own apply
   * @throws InterpreterFault with the transaction's hash when this machine failed; discard the run then
   */
  offer(item: SenderTransaction, room?: FillLimits): Offered {
    const { hash } = item.transaction
    return onBehalfOf(
      () => hash,
      () => {
        this.#observer.onTransaction?.(hash)
        const offered = this.#judge(item, room)
        if (offered.kind === 'included') this.#apply(item)
        this.#observer.onTransaction?.(undefined)
        return offered
      },
    )
  }

  #judge({ transaction, sender }: SenderTransaction, room: FillLimits | undefined): Offered {
    const reason = checkRules(transaction, sender, this.rules) ?? this.#checkAccount(transaction, sender)
    if (reason !== undefined) return { kind: 'refused', reason }
    const refusal = this.#overflow(transaction, room) ?? this.#laneOverflow(transaction, sender)
    return refusal === undefined ? INCLUDED : { kind: 'no-room', refusal }
  }

  #checkAccount(transaction: Transaction, sender: Address): TransactionRefusal | undefined {
    const account = this.journal.account(sender)
    const judged = this.rules.contractsSend ? { ...account, codeHash: undefined } : account
    return checkAccount(transaction, judged, chargedPolicy(this.rules.feePolicy, this.#usesLane(transaction, sender)))
  }

  /** Whether a transaction with this gas limit and length fits into the block. */
  hasRoom(item: Sized, room: FillLimits): boolean {
    return this.#overflow(item, room) === undefined
  }

  /** How much of the part that may be filled is used: 1 or more if the block takes no further transaction. */
  filledPart({ gasMax, bytesMax, part }: FillLimits): number {
    return Math.max(this.#gasUsed / gasMax, this.#bytes / bytesMax) / part
  }

  /** Limits for filling another fraction of the part that may be filled, in addition to what is used. */
  roomFor(fraction: number, { gasMax, bytesMax, part }: FillLimits): FillLimits {
    return {
      gasMax: Math.min(gasMax, this.#gasUsed + fraction * part * gasMax),
      bytesMax: Math.min(bytesMax, this.#bytes + fraction * part * bytesMax),
      part,
    }
  }

  /** The block limit that one more transaction would exceed. */
  #overflow({ gasLimit, raw }: Sized, room: FillLimits = WHOLE): BlockRefusal | undefined {
    const gasMax = Math.min(room.gasMax, this.rules.gasLimit)
    const bytesMax = Math.min(room.bytesMax, LIMITS.blockBytesMax)
    if (this.count >= LIMITS.blockTransactionsMax)
      return { code: 'too-many-transactions', message: `more than ${LIMITS.blockTransactionsMax} transactions in a block` }
    if (this.#bytes + raw.length > bytesMax)
      return { code: 'body-too-large', message: `more than ${bytesMax} bytes of transactions in a block` }
    if (this.#gasUsed + gasLimit > gasMax)
      return {
        code: 'gas-limit',
        message: `transaction ${this.count} has a gas limit of ${gasLimit}, but only ${gasMax - this.#gasUsed} gas is left in the block`,
      }
    return undefined
  }

  #usesLane(transaction: Transaction, sender: Address): boolean {
    return this.rules.sending.usesLane(transaction, sender)
  }

  /** The limit of the lane that one more transaction would exceed. */
  #laneOverflow(transaction: Transaction, sender: Address): BlockRefusal | undefined {
    if (!this.#usesLane(transaction, sender)) return undefined
    const isFull =
      this.#laneCount >= LANE.transactionsMax || this.#laneGas + transaction.gasLimit > laneGasMax(this.rules.gasLimit)
    return isFull
      ? { code: 'lane-full', message: `transaction ${this.count}: the block has no more room for transactions to the governor` }
      : undefined
  }

  #apply({ transaction, sender }: SenderTransaction): void {
    const isLane = this.#usesLane(transaction, sender)
    const { gasUsed, failure, creations, ...outcome } = applyTransaction(this.machine, transaction, sender, this.rules, isLane)
    for (const creation of creations) this.#creations.push({ ...creation, index: this.count })
    if (failure !== undefined) this.#observer.onFailure?.(transaction.hash, failure)
    this.#gasUsed += gasUsed
    if (isLane) {
      this.#laneCount++
      this.#laneGas += gasUsed
    }
    this.#gasOfEach.push(gasUsed)
    this.#bytes += transaction.raw.length
    const receipt: Receipt = { ...outcome, gasUsed: gasUsed as Gas, cumulativeGasUsed: this.#gasUsed as Gas }
    if (receipt.logs.length > 0) addToBloom(this.#crypto, this.#bloom, receipt.logs)
    this.#hashes.push(transaction.hash)
    receiptCodec.write(this.#receipts, receipt)
    this.#receiptEnds.push(this.#receipts.length)
    this.#imageOps.push(...this.machine.imageOps())
  }

  /** The block's header, given the state root after it. */
  header({ parent, parentHash, timeMs, miner, extra }: BlockTemplate, stateRoot: Hash): Header {
    return {
      parentHash,
      miner,
      stateRoot,
      transactionsRoot: Hash(transactionsRoot(this.#crypto, this.#hashes)),
      receiptsRoot: Hash(merkleRoot(this.#crypto, this.#receiptItems())),
      logsBloom: this.#bloom,
      number: nextHeight(parent.number),
      gasLimit: this.rules.gasLimit,
      gasUsed: this.#gasUsed as Gas,
      timeMs,
      baseFeePerGas: this.rules.baseFee,
      extra,
      genesisDigest: undefined,
    }
  }

  #receiptItems(): readonly Uint8Array[] {
    const bytes = this.#receipts.finish()
    return this.#receiptEnds.map((end, i) => bytes.subarray(this.#receiptEnds[i - 1] ?? 0, end))
  }

  /** `receiptsCodec` encoding: the count, then the encoded receipts. */
  receipts(): Uint8Array {
    return concatBytes(numberToBytes(this.#receiptEnds.length, 4), this.#receipts.finish())
  }
}

const INCLUDED: Offered = { kind: 'included' }
const WHOLE: FillLimits = { gasMax: Number.POSITIVE_INFINITY, bytesMax: Number.POSITIVE_INFINITY, part: 1 }

/** Executes a given list of transactions. After a refusal, discard the run. */
export function executeAll(run: BlockRun, transactions: readonly SenderTransaction[]): Result<void, BlockRefusal> {
  for (const [index, item] of transactions.entries()) {
    const offered = run.offer(item)
    if (offered.kind === 'refused') return err(invalidTransaction(index, offered.reason))
    if (offered.kind === 'no-room') return err(offered.refusal)
  }
  return ok(undefined)
}

/** The refusal of a block because of its transaction at `index`. */
export const invalidTransaction = (index: number, reason: TransactionRefusal): BlockRefusal => ({
  code: 'invalid-transaction',
  index,
  reason,
  message: `transaction ${index}: ${reason.message}`,
})
