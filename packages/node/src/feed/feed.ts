import { setImmediate } from 'node:timers/promises'
import { Height, type SignedTransaction } from '@quoin/protocol'
import type { Mempool } from '../mempool/types.ts'
import type { BlockReader } from '../store/types.ts'
import type { Cursor, Feed, FeedItem, Projection } from './types.ts'
import { Wake } from './wake.ts'

export const FEED_LIMITS = {
  /** Blocks that a subscriber reads before other work gets a turn. */
  replayBlocksMax: 32,
  /** Pending transactions queued for one slow subscriber; beyond it the oldest are dropped. */
  pendingCountMax: 2_048,
} as const

export interface FeedOptions {
  readonly reader: BlockReader
  readonly mempool: Pick<Mempool, 'onAdmitted'>
}

/** Creates the feed. The store must contain at least genesis at the first subscription. */
export const createFeed = (options: FeedOptions): Feed => new StoreFeed(options)

/**
 * Subscribers hold only a cursor. A new head only wakes them, and they read items from the store, where blocks never change. So there is no
 * gap and no duplicate between replay and live items, and a slow subscriber costs no memory.
 */
class StoreFeed implements Feed {
  readonly #reader: BlockReader
  readonly #mempool: Pick<Mempool, 'onAdmitted'>
  readonly #newHead = new Wake()

  constructor({ reader, mempool }: FeedOptions) {
    this.#reader = reader
    this.#mempool = mempool
  }

  publish(): void {
    this.#newHead.wake()
  }

  subscribe<T>(projection: Projection<T>, from: Cursor | 'next', signal: AbortSignal): AsyncIterable<FeedItem<T>> {
    const start = from === 'next' ? { height: Height(this.#reader.head.header.number + 1), index: 0 } : from
    return this.#follow(projection, start, signal)
  }

  async *#follow<T>(projection: Projection<T>, start: Cursor, signal: AbortSignal): AsyncIterable<FeedItem<T>> {
    let { height, index } = start
    for (let read = 1; !signal.aborted; read++) {
      if (height > this.#reader.head.header.number) {
        await this.#newHead.wait(signal)
        continue
      }
      const block = this.#reader.header(height)
      if (block === undefined) throw new Error(`the database is damaged: no header of block ${height}`)
      for (const item of projection(block, this.#reader)) {
        if (item.index < index) continue
        yield { cursor: { height, index: item.index }, value: item.value }
        if (signal.aborted) return
      }
      height = Height(height + 1)
      index = 0
      if (read % FEED_LIMITS.replayBlocksMax === 0) await setImmediate()
    }
  }

  pending(signal: AbortSignal): AsyncIterable<SignedTransaction> {
    const waiting: SignedTransaction[] = []
    const arrived = new Wake()
    const unsubscribe = this.#mempool.onAdmitted((transaction) => {
      if (waiting.length === FEED_LIMITS.pendingCountMax) waiting.shift()
      waiting.push(transaction)
      arrived.wake()
    })
    if (signal.aborted) unsubscribe()
    else signal.addEventListener('abort', unsubscribe, { once: true })
    return drain(waiting, arrived, unsubscribe, signal)
  }
}

async function* drain<T>(waiting: T[], arrived: Wake, unsubscribe: () => void, signal: AbortSignal): AsyncIterable<T> {
  try {
    while (!signal.aborted) {
      const next = waiting.shift()
      if (next === undefined) await arrived.wait(signal)
      else yield next
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', unsubscribe)
  }
}
