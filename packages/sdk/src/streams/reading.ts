import type { Segment } from './segment.ts'
import type { OnUnknownCursor, StreamFrom } from './source.ts'

/** Where a reading of a stream begins, and how it is bounded. */
export interface Reading {
  readonly from: StreamFrom
  readonly onUnknownCursor: OnUnknownCursor
  readonly itemsMax: number
  readonly signal: AbortSignal
}

/** Opens a source at a position. Each call is a reading of its own. */
export type Open<T> = (reading: Reading) => AsyncIterable<Segment<T>>
