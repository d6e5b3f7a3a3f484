import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'
import { type Receipt, receiptCodec } from './receipt.ts'
import { ok, type Result } from './result.ts'

/**
 * Called for each log: where its address and its topics begin in the encoding, how many topics it has, and the index of its receipt. Its data
 * follows the topics: the length in 4 bytes, then the bytes.
 */
export type LogVisitor = (addressAt: number, topicsAt: number, topicCount: number, receiptIndex: number) => void

const ADDRESS_BYTES = 20
const TOPIC_BYTES = 32
const COUNT_BYTES = 4
/** `status`, `gasUsed` and `cumulativeGasUsed`. */
const BEFORE_LOGS_BYTES = 17

/**
 * Finds addresses and topics of all logs of a block without decoding its receipts, which takes about a hundredth of the time.
 *
 * @param encoded an encoding by `receiptsCodec`.
 * @throws RangeError if it ends too early; not checked otherwise.
 */
export const visitEncodedLogs = (encoded: Uint8Array, visit: LogVisitor): void => walk(encoded, visit, () => {})

/** A receipt, and the index within its block of its first log. */
export interface PlacedReceipt {
  readonly receipt: Receipt
  readonly firstLogIndex: number
}

/** The receipts of a block, of which each is decoded only when it is asked for. */
export class EncodedReceipts {
  readonly #encoded: Uint8Array
  /** Where each receipt begins, and the end of the last one. */
  readonly #starts: number[] = []
  readonly #firstLogs: number[] = []

  /**
   * @param encoded - An encoding by `receiptsCodec`, which is kept.
   * @throws RangeError if it ends too early, or has more receipts than a block may have; not checked otherwise.
   */
  constructor(encoded: Uint8Array) {
    this.#encoded = encoded
    let logs = 0
    let end = COUNT_BYTES
    walk(
      encoded,
      () => {},
      (start, next, count) => {
        this.#starts.push(start)
        this.#firstLogs.push(logs)
        logs += count
        end = next
      },
    )
    if (end > encoded.length) throw new RangeError(`the receipts end at byte ${end} of ${encoded.length}`)
    this.#starts.push(end)
  }

  get count(): number {
    return this.#firstLogs.length
  }

  /** Decodes a receipt. Undefined if the block has none at this index. */
  at(index: number): Result<PlacedReceipt, codec.DecodeError> | undefined {
    const firstLogIndex = this.#firstLogs[index]
    if (firstLogIndex === undefined) return undefined
    const decoded = codec.decode(receiptCodec, this.#encoded.subarray(this.#starts[index]!, this.#starts[index + 1]!))
    return decoded.ok ? ok({ receipt: decoded.value, firstLogIndex }) : decoded
  }
}

/** Called for each receipt: where it begins and ends in the encoding, and how many logs it has. */
type ReceiptVisitor = (start: number, end: number, logCount: number) => void

function walk(encoded: Uint8Array, visit: LogVisitor, visitReceipt: ReceiptVisitor): void {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const receipts = view.getUint32(0)
  if (receipts > LIMITS.blockTransactionsMax)
    throw new RangeError(`${receipts} receipts, a block has at most ${LIMITS.blockTransactionsMax}`)
  let at = COUNT_BYTES
  for (let i = 0; i < receipts; i++) {
    const start = at
    at += BEFORE_LOGS_BYTES
    const logs = view.getUint32(at)
    at += COUNT_BYTES
    for (let j = 0; j < logs; j++) {
      const addressAt = at
      const topicCount = view.getUint32(addressAt + ADDRESS_BYTES)
      const topicsAt = addressAt + ADDRESS_BYTES + COUNT_BYTES
      const dataAt = topicsAt + TOPIC_BYTES * topicCount
      at = dataAt + COUNT_BYTES + view.getUint32(dataAt)
      visit(addressAt, topicsAt, topicCount, i)
    }
    // `errorData`, `contractAddress` and `payer`.
    at += COUNT_BYTES + view.getUint32(at)
    at += view.getUint8(at) === 0 ? 1 + ADDRESS_BYTES : 1 + 2 * ADDRESS_BYTES
    visitReceipt(start, at, logs)
  }
}
