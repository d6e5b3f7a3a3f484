import {
  addToBloom,
  type Crypto,
  concatBytes,
  emptyBloom,
  encodeRlp,
  headerRlp,
  hexToBytes,
  integerPayload,
  type Receipt,
  type SignedTransaction,
  wrapList,
} from '@quoin/protocol'
import type { StoredHeader } from '../store/types.ts'

/** Ethereum's binary forms of blocks and receipts, for the `debug_getRaw` methods. The chain itself stores and hashes receipts in its own form. */

/** RLP of an empty list. */
const NO_UNCLES = encodeRlp([])

/** First byte of an RLP list: any less begins a typed transaction (EIP-2718). */
const LIST_BYTE = 0xc0
/** The head of an RLP list is that of a byte string of the same length, of two bytes or more, plus this. */
const LIST_OFFSET = 0x40

/** A transaction as an item of a block's list: a legacy one is a list itself, a typed one a byte string. */
function listedTransaction(raw: Uint8Array): Uint8Array {
  if (raw[0]! >= LIST_BYTE) return raw
  const item = wrapList(raw)
  item[0]! -= LIST_OFFSET
  return item
}

/** The RLP of a block: header, transactions, uncles (Yellow Paper, 4.4). This chain has no uncles and no withdrawals. */
export function encodeEthereumBlock(crypto: Crypto, { header }: StoredHeader, bodies: readonly Uint8Array[]): Uint8Array {
  const transactions = wrapList(concatBytes(...bodies.map(listedTransaction)))
  return wrapList(concatBytes(headerRlp(crypto, header), transactions, NO_UNCLES))
}

/** A receipt as EIP-2718 encodes it: status, cumulative gas, bloom and logs (EIP-658), after the type unless it is 0. */
export function encodeEthereumReceipt(crypto: Crypto, { type }: Pick<SignedTransaction, 'type'>, receipt: Receipt): Uint8Array {
  const bloom = emptyBloom()
  addToBloom(crypto, bloom, receipt.logs)
  const logs = receipt.logs.map(({ address, topics, data }) => [
    hexToBytes(address),
    topics.map((topic) => hexToBytes(topic)),
    data,
  ])
  const fields = encodeRlp([integerPayload(receipt.status), integerPayload(receipt.cumulativeGasUsed), bloom, logs])
  return type === 0 ? fields : concatBytes(Uint8Array.of(type), fields)
}
