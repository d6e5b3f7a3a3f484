/** Called for each log: where its address and its topics begin in the encoding, and how many topics it has. */
export type LogVisitor = (addressAt: number, topicsAt: number, topicCount: number) => void

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
export function visitEncodedLogs(encoded: Uint8Array, visit: LogVisitor): void {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const receipts = view.getUint32(0)
  let at = COUNT_BYTES
  for (let i = 0; i < receipts; i++) {
    at += BEFORE_LOGS_BYTES
    const logs = view.getUint32(at)
    at += COUNT_BYTES
    for (let j = 0; j < logs; j++) {
      const addressAt = at
      const topicCount = view.getUint32(addressAt + ADDRESS_BYTES)
      const topicsAt = addressAt + ADDRESS_BYTES + COUNT_BYTES
      const dataAt = topicsAt + TOPIC_BYTES * topicCount
      at = dataAt + COUNT_BYTES + view.getUint32(dataAt)
      visit(addressAt, topicsAt, topicCount)
    }
    // `errorData`, `contractAddress` and `payer`.
    at += COUNT_BYTES + view.getUint32(at)
    at += view.getUint8(at) === 0 ? 1 + ADDRESS_BYTES : 1 + 2 * ADDRESS_BYTES
  }
}
