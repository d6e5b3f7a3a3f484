import type { Cursor, Feed, FeedItem, Projection } from '@quoin/node/chain'
import { eachUnder, linkSignals } from '@quoin/node/process'
import { Height } from '@quoin/protocol'

/** A stretch of a development chain's life in which it only grew. */
export interface Epoch {
  readonly feed: Feed
  /** Height of its first block that is news to subscribers of an earlier one. */
  readonly first: Height
  /** Aborted when the chain went back. */
  readonly ended: AbortSignal
}

/**
 * The feed of a chain that can go back: subscriptions go on with the blocks that follow the one to which it went. What they saw of blocks that
 * are gone is not taken back, for logs of this chain are never `removed`.
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
