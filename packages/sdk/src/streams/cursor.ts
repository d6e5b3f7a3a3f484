import { comparePlaces, type Place } from './place.ts'
import type { Entry, Segment } from './segment.ts'

/**
 * A cursor of the SDK, which applications store unread: cursors that nodes made, of one stream or of the streams of a merge. If the position is
 * within what a node sent as one batch, the place of the last item that is behind it follows. Any node continues at its cursor, and the items up
 * to the place are left out.
 */
export interface CursorParts {
  /** One for each stream. */
  readonly cursors: readonly string[]
  readonly last: Place | undefined
}

const NODE_CURSOR = /^[A-Za-z0-9_-]{1,200}$/
const PLACE = /^(\d{1,16})\.(-1|\d{1,16})\.(-1|\d{1,16})\.(\d{1,16})$/

/** Separates the cursors of a merge, whose cursors may have places of their own, and the place at the end from what is before it. */
const BETWEEN = '|'
const WITHIN = '~'

/** Longer texts are no cursors. */
const CHARS_MAX = 16_384

/** Reads a cursor of one stream. Undefined for a text that is none. */
export function readCursor(text: string): { readonly node: string; readonly last: Place | undefined } | undefined {
  const [node = '', place, ...rest] = text.slice(0, CHARS_MAX).split(WITHIN)
  if (!NODE_CURSOR.test(node) || rest.length > 0) return undefined
  if (place === undefined) return { node, last: undefined }
  const last = readPlace(place)
  return last === undefined ? undefined : { node, last }
}

/** Reads a cursor of a merge: the cursors of its streams, and the last item behind the position. Undefined for a text that is none. */
export function readMergedCursor(text: string): CursorParts | undefined {
  if (text.length > CHARS_MAX) return undefined
  const [first = '', ...others] = text.split(BETWEEN)
  const [place, cursors] =
    others.at(-1)?.startsWith(WITHIN) === true ? [others.pop()!.slice(1), [first, ...others]] : [undefined, [first, ...others]]
  if (cursors.some((cursor) => readCursor(cursor) === undefined)) return undefined
  const last = place === undefined ? undefined : readPlace(place)
  return place !== undefined && last === undefined ? undefined : { cursors, last }
}

function readPlace(text: string): Place | undefined {
  const [, height, transactionIndex, logIndex, source] = PLACE.exec(text) ?? []
  if (height === undefined) return undefined
  return {
    height: Number(height),
    transactionIndex: Number(transactionIndex),
    logIndex: Number(logIndex),
    source: Number(source),
  }
}

const placeText = ({ height, transactionIndex, logIndex, source }: Place): string =>
  `${height}.${transactionIndex}.${logIndex}.${source}`

export const mergedCursor = (cursors: readonly string[]): string => cursors.join(BETWEEN)

/** A cursor of one stream: a node's, and the last item behind the position. */
export const cursorAt = (node: string, last: Place | undefined): string =>
  last === undefined ? node : `${node}${WITHIN}${placeText(last)}`

/** The position behind an item of a segment. */
export function cursorBehind<T>({ start, cursor, entries, isMerged }: Segment<T>, entry: Entry<T>): string {
  if (entry === entries.at(-1)) return cursor
  if (!isMerged) return cursorAt(readCursor(start)!.node, entry.place)
  return cursorAt(`${mergedCursor(readMergedCursor(start)!.cursors)}${BETWEEN}`, entry.place)
}

/** Leaves out the items up to `last`. */
export const behind = <T>(entries: readonly Entry<T>[], last: Place | undefined): readonly Entry<T>[] =>
  last === undefined ? entries : entries.filter(({ place }) => comparePlaces(place, last) > 0)

/**
 * A segment that was asked for from a node's cursor, for a consumer that is behind `last` already: without the items up to it. Both its cursors say so
 * as long as later segments may have such items too.
 *
 * @returns the segment, and the place up to which the next one must be cut.
 */
export function cut<T>(
  segment: Segment<T>,
  last: Place | undefined,
): { readonly segment: Segment<T>; readonly last: Place | undefined } {
  if (last === undefined) return { segment, last }
  const { start, cursor, entries, through } = segment
  const rest = comparePlaces(through, last) < 0 ? last : undefined
  return {
    segment: { ...segment, entries: behind(entries, last), start: cursorAt(start, last), cursor: cursorAt(cursor, rest) },
    last: rest,
  }
}
