import type { Height } from '@quoin/protocol'

/** What an index within a block counts: its logs, or its transactions (and their receipts). A block itself has no parts. */
export type Unit = 'logs' | 'transactions'

/** A place in the chain: the next item. Items of earlier blocks, and of this block below the index, are behind it. */
export interface Position {
  readonly height: Height
  /** Index within the block. It does not depend on a filter. */
  readonly index: number
}

export const beginningOf = (height: number): Position => ({ height: height as Height, index: 0 })

/** The position behind a whole block. */
export const endOf = (height: number): Position => beginningOf(height + 1)

/** Negative if a is before b, 0 if they are the same. */
export const comparePositions = (a: Position, b: Position): number => a.height - b.height || a.index - b.index
