import { effectiveGasPrice } from '@quoin/execution'
import {
  type Address,
  addToBloom,
  bytesToHex,
  CONSTANT_FIELDS,
  type Crypto,
  emptyBloom,
  type Hash,
  type Hex,
  headerExtraData,
  headerMixHash,
  headerRlp,
  headerTimestamp,
  type Log,
  type Receipt,
  type SignedTransaction,
} from '@quoin/protocol'
import type { StoredHeader } from '../store/types.ts'

/** The JSON forms of blocks, transactions and receipts, field for field as in ethereum/execution-apis. */

/** Formats a quantity: hex without leading zeros. */
export const quantityHex = (value: number | bigint): Hex => `0x${value.toString(16)}`

/** The form of a storage value in answers: pads it on the left to 32 bytes, as clients expect. Longer values, which Ethereum does not have, are returned unchanged. */
export function storageWord(value: Uint8Array): Uint8Array {
  if (value.length >= 32) return value
  const word = new Uint8Array(32)
  word.set(value, 32 - value.length)
  return word
}

export function formatHeader(crypto: Crypto, block: StoredHeader): Readonly<Record<string, unknown>> {
  const { header, hash } = block
  return {
    hash,
    parentHash: header.parentHash,
    sha3Uncles: CONSTANT_FIELDS.sha3Uncles,
    miner: header.miner,
    stateRoot: header.stateRoot,
    transactionsRoot: header.transactionsRoot,
    receiptsRoot: header.receiptsRoot,
    logsBloom: bytesToHex(header.logsBloom),
    difficulty: '0x0',
    number: quantityHex(header.number),
    gasLimit: quantityHex(header.gasLimit),
    gasUsed: quantityHex(header.gasUsed),
    timestamp: quantityHex(headerTimestamp(header)),
    extraData: bytesToHex(headerExtraData(header)),
    mixHash: headerMixHash(crypto, header),
    nonce: CONSTANT_FIELDS.nonce,
    baseFeePerGas: quantityHex(header.baseFeePerGas),
  }
}

/** An encoded transaction, of which only the size is needed. */
type Sized = Pick<Uint8Array, 'length'>

/** A block with the hashes of its transactions. `transactions` must be the last field: `blockText` cuts it off. */
export function formatBlock(
  crypto: Crypto,
  block: StoredHeader,
  bodies: readonly Sized[],
  transactions: readonly { readonly hash: Hash }[],
): Readonly<Record<string, unknown>> {
  return {
    ...formatHeader(crypto, block),
    totalDifficulty: '0x0',
    size: quantityHex(blockSize(crypto, block, bodies)),
    uncles: [],
    transactions: transactions.map(({ hash }) => hash),
  }
}

/**
 * Price per gas that a transaction paid. A base fee of 0 marks a block with the fee policy `free`, and another payer than the sender a
 * transaction that paid nothing.
 */
export const paidGasPrice = (transaction: SignedTransaction, payer: Address, baseFee: bigint): bigint =>
  effectiveGasPrice(baseFee === 0n || payer !== transaction.sender ? 'free' : 'burn', baseFee, transaction)

/** Position of a final transaction. */
export interface Position {
  readonly block: StoredHeader
  readonly index: number
}

/** What a transaction object shows. */
export type ShownTransaction = Omit<SignedTransaction, 'signingHash' | 'raw'>

export function formatTransaction(
  transaction: ShownTransaction,
  position: Position | undefined,
): Readonly<Record<string, unknown>> {
  const { type, yParity, signature, chainId } = transaction
  const baseFee = position?.block.header.baseFeePerGas ?? 0n
  const v = type === 0 ? 35 + 2 * chainId + yParity : yParity
  return {
    blockHash: position?.block.hash ?? null,
    blockNumber: position === undefined ? null : quantityHex(position.block.header.number),
    blockTimestamp: position === undefined ? null : quantityHex(headerTimestamp(position.block.header)),
    transactionIndex: position === undefined ? null : quantityHex(position.index),
    hash: transaction.hash,
    type: quantityHex(type),
    chainId: quantityHex(chainId),
    from: transaction.sender,
    to: transaction.to ?? null,
    nonce: quantityHex(transaction.nonce),
    value: quantityHex(transaction.value),
    gas: quantityHex(transaction.gasLimit),
    input: bytesToHex(transaction.data),
    gasPrice: quantityHex(position === undefined ? transaction.maxFeePerGas : listedGasPrice(transaction, baseFee)),
    ...(type === 2
      ? {
          maxFeePerGas: quantityHex(transaction.maxFeePerGas),
          maxPriorityFeePerGas: quantityHex(transaction.maxPriorityFeePerGas),
        }
      : {}),
    ...(type === 0 ? {} : { accessList: transaction.accessList, yParity: quantityHex(yParity) }),
    v: quantityHex(v),
    r: signatureWord(signature, 0),
    s: signatureWord(signature, 32),
  }
}

/** Types 0 and 1 show the signed price, type 2 the effective price in the block. */
const listedGasPrice = (transaction: ShownTransaction, baseFee: bigint): bigint =>
  transaction.type === 2 ? effectiveGasPrice('burn', baseFee, transaction) : transaction.maxFeePerGas

const signatureWord = (signature: Uint8Array, at: number): Hex => quantityHex(BigInt(bytesToHex(signature.subarray(at, at + 32))))

export interface ReceiptContext extends Position {
  readonly crypto: Crypto
  readonly transaction: SignedTransaction
  /** Index within the block of the receipt's first log. */
  readonly firstLogIndex: number
}

export function formatReceipt(receipt: Receipt, context: ReceiptContext): Readonly<Record<string, unknown>> {
  const { block, index, crypto, transaction, firstLogIndex } = context
  const bloom = emptyBloom()
  addToBloom(crypto, bloom, receipt.logs)
  return {
    transactionHash: transaction.hash,
    transactionIndex: quantityHex(index),
    blockHash: block.hash,
    blockNumber: quantityHex(block.header.number),
    from: transaction.sender,
    to: transaction.to ?? null,
    contractAddress: receipt.contractAddress ?? null,
    cumulativeGasUsed: quantityHex(receipt.cumulativeGasUsed),
    gasUsed: quantityHex(receipt.gasUsed),
    effectiveGasPrice: quantityHex(paidGasPrice(transaction, receipt.payer, block.header.baseFeePerGas)),
    logs: receipt.logs.map((log, i) =>
      formatLog(log, { block, transactionHash: transaction.hash, transactionIndex: index, logIndex: firstLogIndex + i }),
    ),
    logsBloom: bytesToHex(bloom),
    status: receipt.status === 1 ? '0x1' : '0x0',
    type: quantityHex(transaction.type),
    // Extra field, as in Besu: the return data of the failed call, such as an ABI-encoded `Error(string)`.
    ...(receipt.errorData.length === 0 ? {} : { revertReason: bytesToHex(receipt.errorData) }),
  }
}

/** Position of a log of a final block. */
export interface LogPlace {
  readonly block: StoredHeader
  readonly transactionHash: Hash
  readonly transactionIndex: number
  /** Index within the block. */
  readonly logIndex: number
}

export function formatLog(log: Log, { block, transactionHash, transactionIndex, logIndex }: LogPlace) {
  return {
    address: log.address,
    topics: log.topics,
    data: bytesToHex(log.data),
    blockNumber: quantityHex(block.header.number),
    blockHash: block.hash,
    blockTimestamp: quantityHex(headerTimestamp(block.header)),
    transactionHash,
    transactionIndex: quantityHex(transactionIndex),
    logIndex: quantityHex(logIndex),
    removed: false,
  }
}

/** Approximate size of a block, for display: its header and its transactions. */
const blockSize = (crypto: Crypto, { header }: StoredHeader, bodies: readonly Sized[]): number =>
  bodies.reduce((sum, { length }) => sum + length, headerRlp(crypto, header).length)
