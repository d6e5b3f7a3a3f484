import type { Receipt } from '@quoin/protocol'
import type { RpcBackend, RpcBlock } from './backend.ts'
import type { ReceiptContext } from './format.ts'

/** What the JSON form of each of a block's receipts needs beside the receipt. */
export function receiptContexts(backend: RpcBackend, block: RpcBlock, receipts: readonly Receipt[]): readonly ReceiptContext[] {
  let firstLogIndex = 0
  return receipts.map((receipt, index) => {
    const context = { block, index, crypto: backend.crypto, firstLogIndex }
    firstLogIndex += receipt.logs.length
    return context
  })
}
