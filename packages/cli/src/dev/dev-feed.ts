import type { Cursor, Feed, FeedItem, Projection } from '@quoin/node/chain'
import { eachUnder, linkSignals } from '@quoin/node/process'
import { Height } from '@quoin/protocol'

/** A period in which the chain only grew: it ends when the chain goes back. */
export interface Epoch {
  readonly feed: Feed
  /** Height of the first block that subscribers from an earlier epoch get. */
  readonly first: Height
  /** Aborted when the chain goes back. */
  readonly ended: AbortSignal
}

/**
 * The feed of a chain that can go back. Subscriptions then continue with the blocks after the one that the chain went back to. Items of discarded
 * blocks are not taken back, because logs of this chain are never `removed`.
 */
export function createDevFeed(current: () => Epoch, height: () => Height): Feed {
  async function* follow<T>(projection: Projection<T>, start: Cursor, signal: AbortSignal): AsyncIterable<FeedItem<T>> {
    let cursor = start
    for (let epoch = current(); ; epoch = current()) {
      yield* eachUnder(linkSignals(signal, epoch.ended), (either) => epoch.feed.subscribe(projection, cursor, either))
      if (signal.aborted) return
      cursor = { height: current().first, index: 0 }
    }
  }
  return {
    publish: () => current().feed.publish(),
    subscribe: (projection, from, signal) =>
      follow(projection, from === 'next' ? { height: Height(height() + 1), index: 0 } : from, signal),
    async *pending(signal) {
      while (!signal.aborted) {
        const { feed, ended } = current()
        yield* eachUnder(linkSignals(signal, ended), (either) => feed.pending(either))
      }
    },
  }
}
