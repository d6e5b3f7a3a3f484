import type { Address, Height } from '@quoin/protocol'
import type { Awaitable } from '../../awaitable.ts'
import { type RawBlock, rawBlock, transactionOf } from '../blocks.ts'
import { formatTransaction } from '../format.ts'
import type { Turn } from '../turns.ts'
import { type ChainView, itemText, type Search, type Sought, type StreamItem, type StreamSource, seekEvery } from './source.ts'

/** How a search uses the index of accounts. */
export const ACCOUNT_WINDOW = {
  /** In a range of at most this many blocks each account is looked up in each block: an iterator costs as much as ten such reads. */
  nearBlocks: 16,
  /** Blocks of the first window. It grows and shrinks by the factor with the number of records that are found. */
  firstBlocks: 1_024,
  factor: 4,
  blocksMax: 65_536,
  /** Records of a window. */
  recordsMax: 2_048,
} as const

/** All transactions, or those that accounts sent or received, or that created them. */
export class TransactionSource implements StreamSource {
  readonly key: string
  readonly unit = 'transactions'
  /** Empty: all. */
  readonly accounts: readonly Address[]
  /** Blocks of the next window. */
  windowBlocks: number = ACCOUNT_WINDOW.firstBlocks

  constructor(accounts: readonly Address[]) {
    this.accounts = [...new Set(accounts)].sort()
    this.key = `transactions:${this.accounts.join()}`
  }

  get terms(): number {
    return this.accounts.length
  }

  search(view: ChainView, turn: Turn): Search {
    if (this.accounts.length > 0) return new AccountSearch(this, view, turn)
    return {
      seek: seekEvery,
      *items(height, from) {
        const raw = storedBlock(view, height)
        for (let index = from; index < raw.bodies.length; index++) yield transactionItem(view, raw, index)
      },
    }
  }
}

/** The block of a height that must be stored. */
export function storedBlock(view: ChainView, height: Height): RawBlock {
  const raw = rawBlock(view, height)
  if (raw === undefined) throw new Error(`the database is damaged: no block ${height}`)
  return raw
}

function transactionItem(view: ChainView, raw: RawBlock, index: number): StreamItem {
  const { block } = raw
  const make = () => JSON.stringify(formatTransaction(transactionOf(view, raw, index), { block, index }))
  return { index, text: itemText(view, 'transactions', block.header.number, index, make) }
}

/** Records of the index of accounts in a range of blocks. */
interface Window {
  readonly through: Height
  readonly positions: ReadonlyMap<Height, ReadonlySet<number>>
}

class AccountSearch implements Search {
  readonly #source: TransactionSource
  readonly #view: ChainView
  readonly #turn: Turn
  readonly #last: Height
  #window: Window | undefined

  constructor(source: TransactionSource, view: ChainView, turn: Turn) {
    this.#source = source
    this.#view = view
    this.#turn = turn
    this.#last = view.head.header.number
  }

  seek(from: Height): Awaitable<Sought> {
    const window = this.#window
    if (window === undefined || from > window.through) {
      if (this.#last - from < ACCOUNT_WINDOW.nearBlocks) return seekEvery(from)
      return this.#openWindow(from).then((opened) => (opened ? this.seek(from) : seekEvery(from)))
    }
    for (let height = from; height <= window.through; height++)
      if (window.positions.has(height)) return { height, mayMatch: true }
    return { height: (window.through + 1) as Height, mayMatch: false }
  }

  *items(height: Height, from: number): Iterable<StreamItem> {
    const positions = this.#positionsIn(height)
    if (positions.length === 0) return
    const raw = storedBlock(this.#view, height)
    for (const index of positions) if (index >= from) yield transactionItem(this.#view, raw, index)
  }

  /** A transaction that concerns several of the accounts counts once. */
  #positionsIn(height: Height): readonly number[] {
    const window = this.#window
    const found =
      window !== undefined && height <= window.through
        ? (window.positions.get(height) ?? [])
        : new Set(this.#source.accounts.flatMap((account) => this.#view.index.accountPositions(account, height)))
    return [...found].sort((a, b) => a - b)
  }

  /** Returns false if the blocks have so many records that looking the accounts up in each block costs no more. */
  async #openWindow(from: Height): Promise<boolean> {
    const { nearBlocks, factor, blocksMax, recordsMax } = ACCOUNT_WINDOW
    const source = this.#source
    while (source.windowBlocks > nearBlocks) {
      const through = Math.min(this.#last, from + source.windowBlocks - 1) as Height
      const positions = new Map<Height, Set<number>>()
      const records = await this.#collect(from, through, positions)
      if (records <= recordsMax) {
        if (records < recordsMax / factor ** 2) source.windowBlocks = Math.min(blocksMax, factor * source.windowBlocks)
        this.#window = { through, positions }
        return true
      }
      source.windowBlocks = Math.max(nearBlocks, Math.floor(source.windowBlocks / factor))
    }
    // Try a larger window again after this batch: the next blocks may have fewer records.
    source.windowBlocks = factor * nearBlocks
    return false
  }

  /** Collects the records of all accounts. Returns their number; stops at the first one above the maximum. */
  async #collect(from: Height, to: Height, positions: Map<Height, Set<number>>): Promise<number> {
    let records = 0
    for (const account of this.#source.accounts) {
      const limit = ACCOUNT_WINDOW.recordsMax + 1 - records
      for await (const block of this.#view.index.accountBlocks(account, { from, to, newestFirst: false, limit })) {
        if (++records > ACCOUNT_WINDOW.recordsMax) return records
        const known = positions.get(block.height) ?? new Set()
        positions.set(block.height, known)
        for (const position of block.positions) known.add(position)
        if (this.#turn.isSliceOver()) await this.#turn.nextTurn()
      }
      if (this.#turn.isSliceOver()) await this.#turn.nextTurn()
    }
    return records
  }
}
