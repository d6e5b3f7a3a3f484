import { type Address, type Hash, type Height, headerTimestamp, visitEncodedLogs } from '@quoin/protocol'
import type { BlockStamp } from '../../store/types.ts'
import { quantityHex } from '../format.ts'
import type { EncodedLog, LogMatcher } from '../log-matcher.ts'
import type { StreamItem } from './source.ts'

const ADDRESS_BYTES = 20
const TOPIC_BYTES = 32
const LENGTH_BYTES = 4

/** Matching logs that one walk over a block collects. */
const LOGS_AT_ONCE = 512

/** A block of which the encoded receipts were read. */
export interface EncodedBlock {
  readonly height: Height
  readonly stamp: BlockStamp
  readonly receipts: Uint8Array
  /** The hash of a transaction by its index. */
  readonly transactionHash: (index: number) => Hash
}

/** One log in the encoded receipts of a block. */
class PlacedLog implements EncodedLog {
  readonly #bytes: Buffer
  readonly #addressAt: number
  readonly #topicsAt: number
  readonly topicCount: number
  readonly transactionIndex: number
  readonly logIndex: number

  constructor(
    bytes: Buffer,
    addressAt: number,
    topicsAt: number,
    topicCount: number,
    transactionIndex: number,
    logIndex: number,
  ) {
    this.#bytes = bytes
    this.#addressAt = addressAt
    this.#topicsAt = topicsAt
    this.topicCount = topicCount
    this.transactionIndex = transactionIndex
    this.logIndex = logIndex
  }

  get address(): Address {
    return this.#hex(this.#addressAt, ADDRESS_BYTES) as Address
  }

  topic(position: number): Hash {
    return this.#hex(this.#topicsAt + TOPIC_BYTES * position, TOPIC_BYTES) as Hash
  }

  get data(): string {
    const at = this.#topicsAt + TOPIC_BYTES * this.topicCount
    return this.#hex(at + LENGTH_BYTES, this.#bytes.readUInt32BE(at))
  }

  #hex(at: number, length: number): string {
    return `0x${this.#bytes.toString('hex', at, at + length)}`
  }
}

/**
 * The matching logs of a block from an index on, without decoding its receipts: that takes several times as long, and the garbage of it as
 * long again. The text is that of `formatLog`.
 */
export function* encodedLogItems(encoded: EncodedBlock, matcher: LogMatcher, from: number): Iterable<StreamItem> {
  const blockPart = textOfBlock(encoded)
  for (let next = from; ; ) {
    const logs = collect(encoded.receipts, matcher, next)
    for (const log of logs) yield { index: log.logIndex, text: textOfLog(log, blockPart, encoded) }
    if (logs.length < LOGS_AT_ONCE) return
    next = logs.at(-1)!.logIndex + 1
  }
}

/** The first matching logs from an index on. */
function collect(receipts: Uint8Array, matcher: LogMatcher, from: number): readonly PlacedLog[] {
  const bytes = Buffer.from(receipts.buffer, receipts.byteOffset, receipts.byteLength)
  const found: PlacedLog[] = []
  let next = 0
  visitEncodedLogs(receipts, (addressAt, topicsAt, topicCount, receiptIndex) => {
    const logIndex = next++
    if (logIndex < from || found.length === LOGS_AT_ONCE) return
    const log = new PlacedLog(bytes, addressAt, topicsAt, topicCount, receiptIndex, logIndex)
    if (matcher.matchesEncoded(log)) found.push(log)
  })
  return found
}

const textOfBlock = ({ height, stamp: { hash, timeMs } }: EncodedBlock): string =>
  `"blockNumber":"${quantityHex(height)}","blockHash":"${hash}","blockTimestamp":"${quantityHex(headerTimestamp({ timeMs }))}"`

function textOfLog(log: PlacedLog, blockPart: string, { transactionHash }: EncodedBlock): string {
  const { address, topicCount, data, transactionIndex, logIndex } = log
  let topics = ''
  for (let i = 0; i < topicCount; i++) topics += i === 0 ? `"${log.topic(i)}"` : `,"${log.topic(i)}"`
  return `{"address":"${address}","topics":[${topics}],"data":"${data}",${blockPart},"transactionHash":"${transactionHash(transactionIndex)}","transactionIndex":"0x${transactionIndex.toString(16)}","logIndex":"0x${logIndex.toString(16)}","removed":false}`
}
