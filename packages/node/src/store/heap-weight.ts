import type { Receipt } from '@quoin/protocol'
import type { StoredSender } from './types.ts'

/**
 * Bytes that decoded records take of V8's heap beside the bytes that they were read from, on 64-bit Node.js 20 to 24: objects, views and texts. Upper bounds of
 * what was measured; `heap-weight.test.ts` compares.
 */
const HEAP_BYTES = { transaction: 240, sender: 240, receipt: 480, log: 550, topic: 150 } as const

export interface Listed {
  readonly body: Uint8Array
  readonly senders: StoredSender
  readonly receipts: Receipt
}

/** What a decoded list of a block takes of the heap. */
export const heapWeight: { readonly [Space in keyof Listed]: (items: readonly Listed[Space][]) => number } = {
  body: ({ length }) => HEAP_BYTES.transaction * length,
  senders: ({ length }) => HEAP_BYTES.sender * length,
  receipts: (receipts) =>
    receipts.reduce(
      (sum, { logs }) =>
        logs.reduce((all, { topics }) => all + HEAP_BYTES.log + HEAP_BYTES.topic * topics.length, sum + HEAP_BYTES.receipt),
      0,
    ),
}
