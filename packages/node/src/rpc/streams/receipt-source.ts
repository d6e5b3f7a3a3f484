import type { Hash, Height, Receipt } from '@quoin/protocol'
import type { Awaitable } from '../../awaitable.ts'
import { transactionOf } from '../blocks.ts'
import { formatReceipt } from '../format.ts'
import { storedPart } from '../stored-part.ts'
import type { Turn } from '../turns.ts'
import { type ChainView, itemText, type Search, type Sought, type StreamItem, type StreamSource, seekEvery } from './source.ts'
import { storedBlock } from './transaction-source.ts'

/** In a range of at most this many blocks, their transactions are compared with the hashes. In a longer one each hash is looked up. */
const NEAR_BLOCKS = 16

/** The receipts of all transactions, or of those with certain hashes. */
export class ReceiptSource implements StreamSource {
  readonly key: string
  readonly unit = 'transactions'
  /** Empty: all. */
  readonly hashes: ReadonlySet<Hash>

  constructor(hashes: readonly Hash[]) {
    this.hashes = new Set(hashes)
    this.key = `receipts:${[...this.hashes].sort().join()}`
  }

  get terms(): number {
    return this.hashes.size
  }

  search(view: ChainView, turn: Turn): Search {
    return new ReceiptSearch(this.hashes, view, turn)
  }
}

class ReceiptSearch implements Search {
  readonly #hashes: ReadonlySet<Hash>
  readonly #view: ChainView
  readonly #turn: Turn
  readonly #last: Height
  /** Blocks with transactions of the hashes, ascending, as far as they were looked up. */
  #located: readonly Height[] | undefined

  constructor(hashes: ReadonlySet<Hash>, view: ChainView, turn: Turn) {
    this.#hashes = hashes
    this.#view = view
    this.#turn = turn
    this.#last = view.head.header.number
  }

  seek(from: Height): Awaitable<Sought> {
    if (this.#hashes.size === 0) return seekEvery(from)
    if (this.#located === undefined) {
      if (this.#last - from < NEAR_BLOCKS) return seekEvery(from)
      return this.#locate(from).then((located) => {
        this.#located = located
        return this.seek(from)
      })
    }
    const height = this.#located.find((one) => one >= from)
    return height === undefined ? { height: (this.#last + 1) as Height, mayMatch: false } : { height, mayMatch: true }
  }

  async #locate(from: Height): Promise<readonly Height[]> {
    const heights = new Set<Height>()
    for (const hash of this.#hashes) {
      const height = this.#view.blocks.locate(hash)?.height
      if (height !== undefined && height >= from && height <= this.#last) heights.add(height)
      if (this.#turn.isSliceOver()) await this.#turn.nextTurn()
    }
    return [...heights].sort((a, b) => a - b)
  }

  *items(height: Height, from: number): Iterable<StreamItem> {
    const { blocks } = this.#view
    let receipts: readonly Receipt[] | undefined
    let firstLogIndex = 0
    let counted = 0
    for (const [index, { hash }] of storedPart(blocks, 'senders', height).entries()) {
      if (index < from || (this.#hashes.size > 0 && !this.#hashes.has(hash))) continue
      receipts ??= storedPart(blocks, 'receipts', height)
      for (; counted < index; counted++) firstLogIndex += receipts[counted]!.logs.length
      yield this.#item(height, index, receipts[index]!, firstLogIndex)
    }
  }

  #item(height: Height, index: number, receipt: Receipt, firstLogIndex: number): StreamItem {
    const view = this.#view
    const make = () => {
      const raw = storedBlock(view, height)
      const transaction = transactionOf(view, raw, index)
      return JSON.stringify(formatReceipt(receipt, { block: raw.block, index, transaction, crypto: view.crypto, firstLogIndex }))
    }
    return { index, text: itemText(view, 'receipts', height, index, make) }
  }
}
