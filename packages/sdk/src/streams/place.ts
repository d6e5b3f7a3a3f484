/**
 * Where an item stands in the chain. Items are in the order of their places: by block, then by transaction, then a transaction before its logs
 * and its logs before its receipt.
 */
export interface Place {
  readonly height: number
  /** `BEFORE` for a block. */
  readonly transactionIndex: number
  /** Index of a log in its block; `BEFORE` for a transaction or block, `BEHIND` for a receipt. */
  readonly logIndex: number
  /** Which of the streams of a merge the item is of; 0 otherwise. */
  readonly source: number
}

/** An index before and behind all others. */
export const BEFORE = -1
export const BEHIND = Number.MAX_SAFE_INTEGER

/** The place behind everything in a block. */
export const endOf = (height: number): Place => ({ height, transactionIndex: BEHIND, logIndex: BEHIND, source: BEHIND })

/** Negative if `a` is before `b`, 0 if they are the same. */
export const comparePlaces = (a: Place, b: Place): number =>
  a.height - b.height || a.transactionIndex - b.transactionIndex || a.logIndex - b.logIndex || a.source - b.source
