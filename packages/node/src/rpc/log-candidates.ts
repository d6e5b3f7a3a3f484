import type { Height } from '@quoin/protocol'
import type { IndexReader } from '../store/block-index.ts'
import type { LogClause } from './log-matcher.ts'
import type { Turn } from './turns.ts'

/**
 * How a query uses the index. Costs are in the unit of a scan: reading the bloom filter of one block, 4 µs.
 */
export const LOG_INDEX_USE = {
  /** Looking up a term starts an iterator of the database. */
  lookupCost: 16,
  /** Reading a record of the index, and each byte of it. */
  recordCost: 0.25,
  byteCost: 1 / 4_096,
  /** Part of a window's cost without index that reading the index may cost. */
  budgetPart: 0.5,
  /** Shorter ranges are scanned without asking the index. */
  blocksMin: 128,
  /** Blocks of the first window, the factor by which the next ones are larger, and their maximum (which bounds memory). */
  firstBlocks: 1_024,
  growth: 4,
  blocksMax: 16_384,
  /** With this many blocks left to read, no further term is looked up. */
  fewBlocks: 16,
} as const
export type LogIndexUse = { readonly [Name in keyof typeof LOG_INDEX_USE]: number }

/** Blocks of a query that have to be read. */
export interface CandidateWindow {
  /** Last block of the window. */
  readonly through: Height
  /** Whether a block of the window may have a matching log. */
  isCandidate(height: Height): boolean
}

const EVERY = (): boolean => true

/**
 * Asks the index which blocks a log query must read, window by window. A reader can continue from any height.
 *
 * The index never makes a query slower than a scan of the bloom filters by more than half. A clause that costs too much (many alternatives)
 * or saves too little (most blocks match) is dropped for the rest of the query, and windows start small, so that this shows early. If all
 * are dropped, every block is a candidate.
 */
export class LogCandidates {
  readonly #index: IndexReader
  /** Clauses that are still of use, most selective first. */
  #clauses: readonly LogClause[]
  readonly #call: Turn
  readonly #use: LogIndexUse
  #blocks: number

  constructor(index: IndexReader, clauses: readonly LogClause[], call: Turn, use: LogIndexUse = LOG_INDEX_USE) {
    this.#index = index
    this.#clauses = clauses
    this.#call = call
    this.#use = use
    this.#blocks = use.firstBlocks
  }

  /** The clauses that are still of use. */
  get clauses(): readonly LogClause[] {
    return this.#clauses
  }

  /** The first window of a range of blocks (inclusive). */
  async window(from: Height, to: Height): Promise<CandidateWindow> {
    const { blocksMin, blocksMax, growth, fewBlocks, budgetPart } = this.#use
    if (this.#clauses.length === 0 || to - from + 1 < blocksMin) return { through: to, isCandidate: EVERY }
    const window = new Window(from, Math.min(to, from + this.#blocks - 1) as Height, budgetPart)
    this.#blocks = Math.min(blocksMax, growth * this.#blocks)
    for (const clause of this.#clauses) {
      if (window.count <= fewBlocks) break
      const verdict = await this.#narrow(window, clause)
      if (verdict === 'useless') this.#clauses = this.#clauses.filter((one) => one !== clause)
    }
    return window
  }

  /** Excludes the blocks without any of a clause's terms. */
  async #narrow(window: Window, { terms }: LogClause): Promise<'done' | 'skipped' | 'useless'> {
    const { lookupCost, recordCost, byteCost } = this.#use
    if (!window.spend(lookupCost * terms.length)) return 'skipped'
    const found = new BlockSet(window.size)
    for (const term of terms) {
      for await (const { height, matches, bytes } of this.#index.logEntries(term, window.from, window.through)) {
        if (!window.spend(recordCost + byteCost * bytes)) return 'useless'
        if (matches) found.add(height - window.from)
        if (this.#call.isSliceOver()) await this.#call.nextTurn()
      }
    }
    const isUseless = found.count > window.size / 2
    window.keep(found)
    return isUseless ? 'useless' : 'done'
  }
}

/** Blocks of a window, by their position in it. One bit each: many queries run at a time. */
class BlockSet {
  readonly bits: Uint8Array

  constructor(size: number) {
    this.bits = new Uint8Array(Math.ceil(size / 8))
  }

  get count(): number {
    let count = 0
    for (const byte of this.bits) for (let rest = byte; rest !== 0; rest &= rest - 1) count++
    return count
  }

  add(at: number): void {
    this.bits[at >> 3]! |= 1 << (at & 7)
  }

  has(at: number): boolean {
    return (this.bits[at >> 3]! & (1 << (at & 7))) !== 0
  }
}

/** Candidates among a few blocks, and the budget for finding them. */
class Window implements CandidateWindow {
  readonly from: Height
  readonly through: Height
  readonly size: number
  /** Undefined: all. */
  #candidates: BlockSet | undefined
  #budget: number

  constructor(from: Height, through: Height, budgetPart: number) {
    this.from = from
    this.through = through
    this.size = through - from + 1
    this.#budget = budgetPart * this.size
  }

  get count(): number {
    return this.#candidates?.count ?? this.size
  }

  isCandidate(height: Height): boolean {
    return this.#candidates?.has(height - this.from) ?? true
  }

  /** Returns false if it is too expensive. */
  spend(cost: number): boolean {
    if (cost > this.#budget) return false
    this.#budget -= cost
    return true
  }

  keep(found: BlockSet): void {
    const before = this.#candidates
    if (before !== undefined) for (let i = 0; i < found.bits.length; i++) found.bits[i]! &= before.bits[i]!
    this.#candidates = found
  }
}
