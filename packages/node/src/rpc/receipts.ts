import type { Receipt } from '@quoin/protocol'
import type { RpcBackend, RpcBlock } from './backend.ts'
import type { PlacedTransaction } from './blocks.ts'
import { formatReceipt } from './format.ts'

const countLogs = (receipts: readonly Receipt[]): number => receipts.reduce((sum, { logs }) => sum + logs.length, 0)

/** The JSON form of a final transaction's receipt. */
export function receiptOf(backend: RpcBackend, { block, index, transaction }: PlacedTransaction) {
  const receipts = backend.blocks.receipts(block.header.number) ?? []
  const receipt = receipts[index]
  if (receipt === undefined) throw new Error(`the database is damaged: no receipt ${index} of block ${block.header.number}`)
  const firstLogIndex = countLogs(receipts.slice(0, index))
  return formatReceipt(receipt, { block, index, transaction, crypto: backend.crypto, firstLogIndex })
}

/** All receipts of a block, in the JSON form. */
export function receiptsOf(backend: RpcBackend, block: RpcBlock) {
  let firstLogIndex = 0
  return (backend.blocks.receipts(block.header.number) ?? []).map((receipt, index) => {
    const transaction = block.transactions[index]!
    const formatted = formatReceipt(receipt, { block, index, transaction, crypto: backend.crypto, firstLogIndex })
    firstLogIndex += receipt.logs.length
    return formatted
  })
}
