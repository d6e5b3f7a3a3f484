import { concatBytes } from '@quoin/protocol'
import type { Mempool, PooledTransaction } from '../mempool/types.ts'
import type { PoolPage, PoolWalk } from './messages.ts'

export const PAGE_LIMITS = {
  /** Transactions in one page: the node's thread takes less than a millisecond for it on average. */
  pageCountMax: 128,
  /** Bytes of transactions in one page. The last transaction may exceed it. */
  pageBytes: 64 * 1024,
} as const

type Walk = Iterator<PooledTransaction>

/**
 * The node's end of the walks over its pool. The pool may hold 64 MiB, so the RPC thread asks for it page by page, and the node does its own
 * work in between. A walk is a position in the pool; the next first page replaces it.
 */
export class PoolPages {
  readonly #pool: Pick<Mempool, 'walk'>
  readonly #walks = new Map<PoolWalk['over'], Walk>()

  constructor(pool: Pick<Mempool, 'walk'>) {
    this.#pool = pool
  }

  /** Returns the next page of a walk. */
  page(step: PoolWalk): PoolPage {
    const { over, isFirst } = step
    const begun = isFirst ? undefined : this.#walks.get(over)
    const walk = begun ?? this.#pool.walk(over === 'sender' ? step.sender : undefined)
    this.#walks.set(over, walk)
    const page = pageOf(walk)
    if (page.isLast) this.#walks.delete(over)
    return page
  }

  /** The thread has ended: forgets its walks. */
  clear(): void {
    this.#walks.clear()
  }
}

function pageOf(walk: Walk): PoolPage {
  const found: PooledTransaction[] = []
  let bytes = 0
  let isLast = false
  while (found.length < PAGE_LIMITS.pageCountMax && bytes < PAGE_LIMITS.pageBytes) {
    const next = walk.next()
    if (next.done === true) {
      isLast = true
      break
    }
    found.push(next.value)
    bytes += next.value.transaction.raw.length
  }
  const raws = found.map(({ transaction }) => transaction.raw)
  return {
    bytes: concatBytes(...raws),
    lengths: raws.map(({ length }) => length),
    senders: found.map(({ transaction }) => transaction.sender),
    queued: found.map(({ isQueued }) => isQueued),
    isLast,
  }
}
