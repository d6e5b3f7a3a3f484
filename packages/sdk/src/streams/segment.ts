import type { Hash } from 'viem'
import type { Place } from './place.ts'

/** An item of a stream with its place. */
export interface Entry<T> {
  readonly value: T
  readonly place: Place
}

/** The newest block of the node that answered. */
export interface StreamHead {
  readonly number: bigint
  readonly hash: Hash
  /** Time of the block in milliseconds. */
  readonly time: number
}

/** A part of a stream: all its items between two positions. May be empty. */
export interface Segment<T> {
  readonly entries: readonly Entry<T>[]
  /** The position before the first item. */
  readonly start: string
  /** The position behind the last item, or behind the blocks that were searched. */
  readonly cursor: string
  /** No later segment has an item before this place. */
  readonly through: Place
  readonly head: StreamHead
  /** Whether the cursors are those of a merge. */
  readonly isMerged: boolean
  /** The chain was reset: places before this segment mean nothing any more. */
  readonly isRestart: boolean
}
