import type { Receipt } from '@quoin/protocol'
import type { SingleReceipts } from '../store/types.ts'
import type { RpcBackend } from './backend.ts'
import { type PlacedTransaction, type RawBlock, transactionOf } from './blocks.ts'
import { formatReceipt } from './format.ts'
import { JsonText, jsonList } from './json-text.ts'
import type { CallContext } from './method.ts'

const countLogs = (receipts: readonly Receipt[], before: number): number => {
  let sum = 0
  for (let i = 0; i < before; i++) sum += receipts[i]!.logs.length
  return sum
}

/** The JSON of the receipt of a final transaction, of which only this one is decoded: for a few receipts of a block. */
export function singleReceiptText(
  { crypto }: Pick<RpcBackend, 'crypto'>,
  receipts: SingleReceipts,
  { block, index, transaction }: PlacedTransaction,
  call: CallContext,
): string {
  return call.shared.texts.of('receipts', block.header.number).item(index, () => {
    const { receipt, firstLogIndex } = receipts.at(index)
    return JSON.stringify(formatReceipt(receipt, { block, index, transaction, crypto, firstLogIndex }))
  })
}

/** The JSON of the receipt of a final transaction. */
export function receiptText(backend: RpcBackend, { block, index, transaction }: PlacedTransaction, call: CallContext): JsonText {
  const height = block.header.number
  const receipts = backend.blocks.receipts(height) ?? []
  const receipt = receipts[index]
  if (receipt === undefined) throw new Error(`the database is damaged: no receipt ${index} of block ${height}`)
  const text = call.shared.texts.of('receipts', height).item(index, () => {
    const firstLogIndex = countLogs(receipts, index)
    return JSON.stringify(formatReceipt(receipt, { block, index, transaction, crypto: backend.crypto, firstLogIndex }))
  })
  return new JsonText([text])
}

/** The JSON of all receipts of a block. Yields to other work between receipts. */
export function receiptsText(backend: RpcBackend, raw: RawBlock, call: CallContext): Promise<JsonText> {
  const { block } = raw
  const { crypto } = backend
  const height = block.header.number
  const kept = call.shared.texts.of('receipts', height)
  let firstLogIndex = 0
  return jsonList(
    backend.blocks.receipts(height) ?? [],
    (receipt, index) => {
      const text = kept.item(index, () => {
        const transaction = transactionOf(backend, raw, index)
        return JSON.stringify(formatReceipt(receipt, { block, index, transaction, crypto, firstLogIndex }))
      })
      firstLogIndex += receipt.logs.length
      return text
    },
    call,
  )
}
