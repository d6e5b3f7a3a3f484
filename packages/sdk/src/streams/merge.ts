import { follow } from '../aborts.ts'
import { behind, cursorBehind, mergedCursor, readMergedCursor } from './cursor.ts'
import { InvalidCursorError } from './errors.ts'
import { comparePlaces, type Place } from './place.ts'
import type { Reading } from './reading.ts'
import type { Entry, Segment, StreamHead } from './segment.ts'
import { Stream, type StreamOptions } from './stream.ts'

/** The item type of several streams. */
export type Merged<S extends readonly Stream<unknown>[]> = S[number] extends Stream<infer T> ? T : never

/**
 * One stream of the items of several, in the order of the chain. Of items at the same place the one of the first stream comes first. Its cursor contains theirs; the
 * options of the single streams do not count. A merge is not merged again: name all streams in one call.
 */
export function merge<const S extends readonly Stream<unknown>[]>(streams: S, options: StreamOptions = {}): Stream<Merged<S>> {
  if (streams.length === 0) throw new RangeError('merge needs at least one stream')
  if (streams.some(({ isMerged }) => isMerged))
    throw new RangeError('a merge cannot be merged again: name all streams in one call')
  return new Stream((reading) => mergedSegments(streams as readonly Stream<Merged<S>>[], reading), options, true)
}

/** One of the streams: its newest segment, as far as it was not given yet. */
class Branch<T> {
  readonly #iterator: AsyncIterator<Segment<T>>
  readonly #source: number
  #last: Place | undefined
  #segment: Segment<T> | undefined
  #given = 0
  #pending: Promise<void> | undefined

  constructor(stream: Stream<T>, reading: Reading, source: number, last: Place | undefined) {
    this.#iterator = stream.open(reading)[Symbol.asyncIterator]()
    this.#source = source
    this.#last = last
  }

  /** No further segment has an item up to this place; undefined before the first one. */
  get through(): Place | undefined {
    return this.#segment === undefined ? undefined : { ...this.#segment.through, source: this.#source }
  }

  get head(): StreamHead | undefined {
    return this.#segment?.head
  }

  get isEmpty(): boolean {
    return this.#segment === undefined || this.#given === this.#segment.entries.length
  }

  /** The position behind what was given. */
  get cursor(): string {
    const segment = this.#segment!
    if (this.isEmpty) return segment.cursor
    return this.#given === 0 ? segment.start : cursorBehind(segment, segment.entries[this.#given - 1]!)
  }

  /** Resolves when the next segment is there. Call it when the branch is empty. */
  pull(): Promise<void> {
    this.#pending ??= this.#pull()
    return this.#pending
  }

  async #pull(): Promise<void> {
    const { value } = (await this.#iterator.next()) as IteratorYieldResult<Segment<T>>
    const entries = value.entries.map((entry) => ({ ...entry, place: { ...entry.place, source: this.#source } }))
    if (value.isRestart) this.#last = undefined
    this.#segment = { ...value, entries }
    this.#given = entries.length - behind(entries, this.#last).length
    if (this.#last !== undefined && comparePlaces(value.through, this.#last) > 0) this.#last = undefined
    this.#pending = undefined
  }

  /** Gives the items up to a place. */
  take(horizon: Place): readonly Entry<T>[] {
    const from = this.#given
    const { entries } = this.#segment!
    while (this.#given < entries.length && comparePlaces(entries[this.#given]!.place, horizon) <= 0) this.#given++
    return entries.slice(from, this.#given)
  }
}

async function* mergedSegments<T>(streams: readonly Stream<T>[], reading: Reading): AsyncGenerator<Segment<T>, never> {
  const { cursors, last } = startOf(streams.length, reading)
  const stop = follow(reading.signal)
  const branches = streams.map((stream, i) => {
    const from = cursors === undefined ? reading.from : { cursor: cursors[i]! }
    return new Branch(stream, { ...reading, from, signal: stop.signal }, i, last)
  })
  const pull = (branch: Branch<T>): Promise<void> => {
    const pulled = branch.pull()
    // Another branch may fail first.
    void Promise.allSettled([pulled])
    return pulled
  }
  try {
    await Promise.all(branches.map(pull))
    for (let start = mergedCursor(branches.map(({ cursor }) => cursor)); ; ) {
      const horizon = branches.map(({ through }) => through!).reduce((a, b) => (comparePlaces(a, b) <= 0 ? a : b))
      const entries = branches.flatMap((branch) => branch.take(horizon)).sort((a, b) => comparePlaces(a.place, b.place))
      const cursor = mergedCursor(branches.map((branch) => branch.cursor))
      const head = branches.map((branch) => branch.head!).reduce((a, b) => (a.number >= b.number ? a : b))
      if (cursor !== start || entries.length > 0)
        yield { entries, start, cursor, through: horizon, head, isMerged: true, isRestart: false }
      start = cursor
      await Promise.race(branches.filter(({ isEmpty }) => isEmpty).map(pull))
    }
  } finally {
    stop.unlink()
    stop.abort(new Error('the stream has ended'))
  }
}

function startOf(
  count: number,
  { from }: Reading,
): { readonly cursors: readonly string[] | undefined; readonly last: Place | undefined } {
  if (typeof from !== 'object' || !('cursor' in from)) return { cursors: undefined, last: undefined }
  const read = readMergedCursor(from.cursor)
  if (read === undefined || read.cursors.length !== count)
    throw new InvalidCursorError(`The text is no cursor of a merge of ${count} streams.`)
  return read
}
