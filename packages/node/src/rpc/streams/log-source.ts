import type { Crypto, Height } from '@quoin/protocol'
import type { Awaitable } from '../../awaitable.ts'
import { formatLog } from '../format.ts'
import { type CandidateWindow, LogCandidates } from '../log-candidates.ts'
import { keyOfCriteria, type LogClause, type LogCriteria, LogMatcher } from '../log-matcher.ts'
import { storedPart } from '../stored-part.ts'
import type { Turn } from '../turns.ts'
import { encodedLogItems } from './encoded-logs.ts'
import { type ChainView, isRecent, itemText, type Search, type Sought, type StreamItem, type StreamSource } from './source.ts'

/** Bloom filters that one step of a search reads: a quarter of a millisecond. */
const BLOOMS_AT_ONCE = 64

/** The logs that match. */
export class LogSource implements StreamSource {
  readonly key: string
  readonly unit = 'logs'
  readonly matcher: LogMatcher
  /** What earlier batches found to be of use in the index. */
  clauses: readonly LogClause[]

  constructor(crypto: Crypto, criteria: LogCriteria) {
    this.key = `logs:${keyOfCriteria(criteria)}`
    this.matcher = new LogMatcher(crypto, criteria)
    this.clauses = this.matcher.clauses
  }

  get terms(): number {
    return this.matcher.terms
  }

  search(view: ChainView, turn: Turn): Search {
    return new LogSearch(this, view, turn)
  }
}

class LogSearch implements Search {
  readonly #source: LogSource
  readonly #view: ChainView
  readonly #candidates: LogCandidates
  readonly #last: Height
  #window: CandidateWindow | undefined

  constructor(source: LogSource, view: ChainView, turn: Turn) {
    this.#source = source
    this.#view = view
    this.#candidates = new LogCandidates(view.index, source.clauses, turn)
    this.#last = view.head.header.number
  }

  seek(from: Height): Awaitable<Sought> {
    const { matcher } = this.#source
    let blooms = 0
    let height = from
    for (; height <= this.#last && blooms < BLOOMS_AT_ONCE; height++) {
      const window = this.#window
      if (window === undefined || height > window.through) return this.#openWindow(height).then(() => this.seek(height))
      if (!window.isCandidate(height)) continue
      blooms++
      if (matcher.mayMatch(storedPart(this.#view.blocks, 'logsBloom', height))) return { height, mayMatch: true }
    }
    return { height, mayMatch: false }
  }

  async #openWindow(from: Height): Promise<void> {
    this.#window = await this.#candidates.window(from, this.#last)
    this.#source.clauses = this.#candidates.clauses
  }

  items(height: Height, from: number): Iterable<StreamItem> {
    return isRecent(this.#view, height) ? this.#recentItems(height, from) : this.#oldItems(height, from)
  }

  #oldItems(height: Height, from: number): Iterable<StreamItem> {
    const { blocks } = this.#view
    const encoded = {
      height,
      stamp: storedPart(blocks, 'stamp', height),
      receipts: storedPart(blocks, 'encodedReceipts', height),
      transactionHash: storedPart(blocks, 'transactionHashes', height),
    }
    return encodedLogItems(encoded, this.#source.matcher, from)
  }

  /** From decoded receipts, which other clients ask for too, with texts that they share. */
  *#recentItems(height: Height, from: number): Iterable<StreamItem> {
    const { blocks } = this.#view
    const { matcher } = this.#source
    const block = storedPart(blocks, 'header', height)
    let logIndex = 0
    for (const [transactionIndex, { logs }] of storedPart(blocks, 'receipts', height).entries()) {
      if (logIndex + logs.length <= from) {
        logIndex += logs.length
        continue
      }
      for (const log of logs) {
        const index = logIndex++
        if (index < from || !matcher.matches(log)) continue
        const make = () => {
          const transactionHash = storedPart(blocks, 'senders', height)[transactionIndex]!.hash
          return JSON.stringify(formatLog(log, { block, transactionHash, transactionIndex, logIndex: index }))
        }
        yield { index, text: itemText(this.#view, 'logs', height, index, make) }
      }
    }
  }
}
