import type { Receipt } from '@quoin/protocol'
import type { StoredSender } from './types.ts'

/**
 * Bytes of V8's heap that decoded records take in addition to the bytes they were read from, on 64-bit Node.js 20 to 24: objects, views and
 * strings. Upper bounds of measured values; `heap-weight.test.ts` compares them.
 */
const HEAP_BYTES = { transaction: 240, sender: 240, receipt: 480, log: 550, topic: 150 } as const

/** Lists of a block that are cached in decoded form. */
export interface Listed {
  readonly body: Uint8Array
  readonly senders: StoredSender
  readonly receipts: Receipt
}

/** Heap bytes of a decoded list of a block. */
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
