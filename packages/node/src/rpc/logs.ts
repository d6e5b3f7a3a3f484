import type { Height, Log } from '@quoin/protocol'
import type { BlockReader, StoredHeader } from '../store/types.ts'
import { formatLog, type LogPlace } from './format.ts'
import type { RpcLimits } from './limits.ts'
import type { LogMatcher } from './log-matcher.ts'
import type { Turns } from './turns.ts'

export interface PlacedLog extends LogPlace {
  readonly log: Log
}

/** The logs of a block that match, in order. */
export function logsOfBlock(reader: BlockReader, block: StoredHeader, matcher: LogMatcher): readonly PlacedLog[] {
  const height = block.header.number
  const found: PlacedLog[] = []
  let logIndex = 0
  for (const [transactionIndex, { logs }] of read(reader, 'receipts', height).entries()) {
    for (const log of logs) {
      if (matcher.matches(log)) {
        const transactionHash = read(reader, 'senders', height)[transactionIndex]!.hash
        found.push({ log, block, transactionHash, transactionIndex, logIndex })
      }
      logIndex++
    }
  }
  return found
}

/** Bytes that a log takes in an answer beside its data, at most. */
const logFrameBytes = 768

export interface LogScan {
  readonly reader: BlockReader
  readonly matcher: LogMatcher
  /** First block and last, both stored. */
  readonly from: Height
  readonly to: Height
  readonly limits: Pick<RpcLimits, 'logsMax' | 'logReceiptsMax' | 'logSliceItemsMax' | 'responseBytesMax'>
  readonly turns: Turns
  readonly signal: AbortSignal
}

export interface FoundLogs {
  /** As the RPC answers them. */
  readonly logs: readonly unknown[]
  /** The last block that was read: before `to` when a limit was reached. Never before `from`. */
  readonly through: Height
  /** The limit, in words. */
  readonly reached: string | undefined
}

/**
 * All logs of a range that match, or those of its first blocks when they are too many for one answer. A block is never cut, and at least
 * one is read, so that whoever goes on after `through` comes to the end. Rejects when the signal is aborted.
 */
export async function scanLogs({ reader, matcher, from, to, limits, turns, signal }: LogScan): Promise<FoundLogs> {
  const logs: unknown[] = []
  let bytes = 0
  let receipts = 0
  let sliceItems = 0
  await turns.next()
  for (let height = from; height <= to; height++) {
    if (sliceItems >= limits.logSliceItemsMax) {
      await turns.next()
      sliceItems = 0
    }
    signal.throwIfAborted()
    sliceItems++
    if (!matcher.mayMatch(read(reader, 'logsBloom', height))) continue
    const found = logsOfBlock(reader, read(reader, 'header', height), matcher)
    const foundBytes = found.reduce((sum, { log }) => sum + logFrameBytes + 2 * log.data.length, 0)
    const reached = tooMany(logs.length + found.length, bytes + foundBytes, limits)
    if (logs.length > 0 && found.length > 0 && reached !== undefined) return { logs, through: (height - 1) as Height, reached }
    for (const placed of found) logs.push(formatLog(placed.log, placed))
    const count = read(reader, 'receipts', height).length
    bytes += foundBytes
    sliceItems += count
    receipts += count
    if (receipts >= limits.logReceiptsMax && height < to)
      return { logs, through: height, reached: `max receipts ${limits.logReceiptsMax}` }
  }
  return { logs, through: to, reached: undefined }
}

function tooMany(logs: number, bytes: number, { logsMax, responseBytesMax }: LogScan['limits']): string | undefined {
  if (logs > logsMax) return `max results ${logsMax}`
  return bytes > responseBytesMax ? `max response bytes ${responseBytesMax}` : undefined
}

type BlockPart = 'header' | 'logsBloom' | 'receipts' | 'senders'

/** A part of a block that is stored. */
function read<P extends BlockPart>(reader: BlockReader, part: P, height: Height): NonNullable<ReturnType<BlockReader[P]>> {
  const value = reader[part](height)
  if (value === undefined) throw new Error(`the database is damaged: no ${part} of block ${height}`)
  return value as NonNullable<ReturnType<BlockReader[P]>>
}
