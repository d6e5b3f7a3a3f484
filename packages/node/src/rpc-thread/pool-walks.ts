import type { Address, SignedTransaction } from '@quoin/protocol'
import { type Client, FairQueue } from '../fair-queue.ts'
import type { PooledTransaction } from '../mempool/types.ts'
import type { Admitted, PoolPage, PoolWalk } from './messages.ts'
import type { NodeLink } from './node-link.ts'

/** Lets one client in at a time. Those that wait take turns by address and connection. */
class Lane {
  readonly #waiting = new FairQueue<() => void>()
  #isTaken = false

  async enter(client: Client): Promise<void> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(client, resolve))
    this.#isTaken = true
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#isTaken = false
    else next.item()
  }
}

/**
 * The RPC thread's end of the walks over the node's pool. One walk over the whole pool and one over a sender's transactions run at a time, each with
 * one page in flight, so walks never take more of the node's thread than one page of each per message.
 */
export class PoolWalks {
  readonly #link: Pick<NodeLink, 'ask'>
  readonly #decode: (admitted: Admitted) => SignedTransaction
  readonly #lanes = { all: new Lane(), sender: new Lane() }

  constructor(link: Pick<NodeLink, 'ask'>, decode: (admitted: Admitted) => SignedTransaction) {
    this.#link = link
    this.#decode = decode
  }

  /**
   * Walks over the pool, or over the transactions of one sender. Decodes each transaction when the caller takes it.
   *
   * @throws {RpcError} If the node is busy.
   */
  async *walk(sender: Address | undefined, client: Client): AsyncGenerator<PooledTransaction> {
    const lane = this.#lanes[sender === undefined ? 'all' : 'sender']
    await lane.enter(client)
    try {
      for (let isFirst = true; ; isFirst = false) {
        const step: PoolWalk = sender === undefined ? { over: 'all', isFirst } : { over: 'sender', sender, isFirst }
        const page = await this.#link.ask<'pool-page'>({ kind: 'pool-page', walk: step })
        yield* this.#read(page)
        if (page.isLast) return
      }
    } finally {
      lane.leave()
    }
  }

  *#read({ bytes, lengths, senders, queued }: PoolPage): Generator<PooledTransaction> {
    let at = 0
    for (const [i, length] of lengths.entries()) {
      const raw = bytes.subarray(at, at + length)
      at += length
      yield { transaction: this.#decode({ raw, sender: senders[i]! }), isQueued: queued[i]! }
    }
  }
}
