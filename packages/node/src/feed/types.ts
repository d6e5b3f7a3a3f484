import type { Height, SignedTransaction } from '@quoin/protocol'
import type { BlockReader, StoredHeader } from '../store/types.ts'

/**
 * Position of an item in the chain: its block, and its index among that block's items of the same kind (a log's index, 0 for the header).
 */
export interface Cursor {
  readonly height: Height
  readonly index: number
}

/** An item with the cursor at which it can be read again. */
export interface FeedItem<T> {
  readonly cursor: Cursor
  readonly value: T
}

/** Extracts a subscription's items from a final block, in ascending `index`. Must return the same items on each call. */
export type Projection<T> = (block: StoredHeader, reader: BlockReader) => readonly { readonly index: number; readonly value: T }[]

/** Final blocks as streams, addressed by cursors, and a best-effort stream of pending transactions. */
export interface Feed {
  /** Tells subscribers that the store's head moved. Called after each commit. */
  publish(): void
  /**
   * Yields items from a cursor (inclusive), or from the block after the head, without end: each once, in order, without gaps. Nothing is
   * buffered: a subscriber reads the store at its own pace. Ends when the signal is aborted. A cursor after the head waits for it.
   */
  subscribe<T>(projection: Projection<T>, from: Cursor | 'next', signal: AbortSignal): AsyncIterable<FeedItem<T>>
  /** Transactions as the pool admits them. A slow subscriber loses the oldest ones: the stream is a hint, not a record. */
  pending(signal: AbortSignal): AsyncIterable<SignedTransaction>
}
