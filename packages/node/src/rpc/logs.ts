import type { Height, Log } from '@quoin/protocol'
import type { IndexReader } from '../store/block-index.ts'
import type { BlockReader, StoredHeader } from '../store/types.ts'
import type { BlockTexts } from './block-texts.ts'
import { formatLog, type LogPlace } from './format.ts'
import { JsonText } from './json-text.ts'
import type { RpcLimits } from './limits.ts'
import { LogCandidates } from './log-candidates.ts'
import type { LogMatcher } from './log-matcher.ts'
import type { CallContext } from './method.ts'
import { storedPart } from './stored-part.ts'

export interface PlacedLog extends LogPlace {
  readonly log: Log
}

/** The matching logs of a block, in order. */
export function logsOfBlock(reader: BlockReader, block: StoredHeader, matcher: LogMatcher): readonly PlacedLog[] {
  const height = block.header.number
  const found: PlacedLog[] = []
  let logIndex = 0
  for (const [transactionIndex, { logs }] of storedPart(reader, 'receipts', height).entries()) {
    for (const log of logs) {
      if (matcher.matches(log)) {
        const transactionHash = storedPart(reader, 'senders', height)[transactionIndex]!.hash
        found.push({ log, block, transactionHash, transactionIndex, logIndex })
      }
      logIndex++
    }
  }
  return found
}

/** The JSON of a log, cached while its block is recent. */
export const logText = (texts: BlockTexts, placed: PlacedLog): string =>
  texts.of('logs', placed.block.header.number).item(placed.logIndex, () => JSON.stringify(formatLog(placed.log, placed)))

/** The JSON of the matching logs of a block. */
export function logTextsOfBlock(reader: BlockReader, texts: BlockTexts, height: Height, matcher: LogMatcher): readonly string[] {
  if (!matcher.mayMatch(storedPart(reader, 'logsBloom', height))) return []
  return logsOfBlock(reader, storedPart(reader, 'header', height), matcher).map((placed) => logText(texts, placed))
}

/** Upper bound for the bytes of a log in a response, without its data. */
const logFrameBytes = 768

export interface LogScan {
  readonly reader: BlockReader
  readonly index: IndexReader
  readonly matcher: LogMatcher
  /** First and last block, inclusive. Both must be stored. */
  readonly from: Height
  readonly to: Height
  readonly call: CallContext
}

export interface FoundLogs {
  /** JSON array for the response. */
  readonly logs: JsonText
  /** The last block that was read: below `to` if a limit was reached, never below `from`. */
  readonly through: Height
  /** Describes the limit that was reached, such as `max results 10000`. */
  readonly reached: string | undefined
}

/**
 * Finds the matching logs of a range, or of its first blocks if there are too many for one response. A block is never split, and at least
 * one is read, so that a caller who continues after `through` reaches the end. Rejects if the call is abandoned.
 */
export async function scanLogs({ reader, index, matcher, from, to, call }: LogScan): Promise<FoundLogs> {
  const { limits } = call
  const { texts } = call.shared
  const pieces = new ListPieces()
  let bytes = 0
  let receipts = 0
  const candidates = new LogCandidates(index, matcher.clauses, call)
  let window = await candidates.window(from, to)
  for (let height = from; height <= to; height++) {
    if (height > window.through) window = await candidates.window(height, to)
    if (!window.isCandidate(height)) continue
    if (call.isSliceOver()) await call.nextTurn()
    if (!matcher.mayMatch(storedPart(reader, 'logsBloom', height))) continue
    const found = logsOfBlock(reader, storedPart(reader, 'header', height), matcher)
    const foundBytes = found.reduce((sum, { log }) => sum + logFrameBytes + 2 * log.data.length, 0)
    const reached = tooMany(pieces.count + found.length, bytes + foundBytes, limits)
    if (pieces.count > 0 && found.length > 0 && reached !== undefined)
      return { logs: pieces.end(), through: (height - 1) as Height, reached }
    for (const placed of found) {
      if (call.isSliceOver()) await call.nextTurn()
      pieces.add(logText(texts, placed))
    }
    bytes += foundBytes
    receipts += storedPart(reader, 'receipts', height).length
    if (receipts >= limits.logReceiptsMax && height < to)
      return { logs: pieces.end(), through: height, reached: `max receipts ${limits.logReceiptsMax}` }
  }
  return { logs: pieces.end(), through: to, reached: undefined }
}

/** A JSON array under construction. */
class ListPieces {
  readonly #pieces: string[] = []
  count = 0

  add(text: string): void {
    this.#pieces.push(this.count++ === 0 ? '[' : ',', text)
  }

  end(): JsonText {
    return new JsonText(this.count === 0 ? ['[]'] : [...this.#pieces, ']'])
  }
}

function tooMany(
  logs: number,
  bytes: number,
  { logsMax, responseBytesMax }: Pick<RpcLimits, 'logsMax' | 'responseBytesMax'>,
): string | undefined {
  if (logs > logsMax) return `max results ${logsMax}`
  return bytes > responseBytesMax ? `max response bytes ${responseBytesMax}` : undefined
}
