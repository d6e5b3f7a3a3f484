import { follow } from '../aborts.ts'
import { Acknowledged } from './acknowledged.ts'
import { type BufferOptions, buffered } from './buffer.ts'
import { cursorBehind } from './cursor.ts'
import type { CursorStore } from './cursor-store.ts'
import type { Open, Reading } from './reading.ts'
import type { Entry, Segment, StreamHead } from './segment.ts'
import type { OnUnknownCursor, StreamFrom } from './source.ts'

export interface StreamOptions {
  /**
   * Where the consumer's position is kept. The stream continues behind the last acknowledged item; `from` counts the first time only.
   */
  readonly cursor?: CursorStore | undefined
  /** Continues behind a cursor that the caller keeps, such as one that was committed together with what the items led to. */
  readonly after?: string | undefined
  /** Default: `now`. */
  readonly from?: StreamFrom | undefined
  /** Default: `throw`. With `restart` the stream goes on with block 0 of the chain that is there. */
  readonly onUnknownCursor?: OnUnknownCursor | undefined
  /** Ends the stream: the iteration rejects with the reason. */
  readonly signal?: AbortSignal | undefined
}

/** Items with the position behind them. */
export interface StreamBatch<T> {
  readonly items: readonly T[]
  /** Store it together with what the items led to, and pass it as `after` to continue. */
  readonly cursor: string
  /** The newest block of the node that answered. */
  readonly head: StreamHead
}

/** Options of `batches`. */
export interface BatchOptions {
  /** Most items in a batch: an integer from 1 to 500, which is the default. */
  readonly maxSize?: number | undefined
  /** Whether there is a batch for every answer of a node. Default: false. */
  readonly includeEmpty?: boolean | undefined
}

/** Most items that a node is asked for at once, and a batch has. */
const ITEMS_MAX = 500

const NEVER = new AbortController().signal

/**
 * Items of the chain in final order: none is lost or repeated while the process runs, whatever happens to nodes. Across a crash an item comes again unless it was
 * acknowledged. Reading it a second time begins anew.
 *
 * `for await` over the stream acknowledges an item when the next one is asked for. `batches` acknowledges a batch when the next one is asked for.
 */
export class Stream<T> implements AsyncIterable<T> {
  readonly #open: Open<T>
  readonly #options: StreamOptions

  /** Whether this is a merge, or made of one. */
  readonly isMerged: boolean

  constructor(open: Open<T>, options: StreamOptions, isMerged = false) {
    this.#open = open
    this.#options = options
    this.isMerged = isMerged
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    const acknowledged = new Acknowledged(this.#options.cursor)
    try {
      for await (const segment of await this.#segments(ITEMS_MAX)) {
        for (const entry of segment.entries) {
          yield entry.value
          acknowledged.entry(segment, entry)
        }
        acknowledged.position(segment.cursor)
      }
    } finally {
      await acknowledged.flush()
    }
  }

  /**
   * The items in batches, for consumers that write several at once. A batch never waits for more items.
   *
   * `maxSize` is the most items in a batch, up to 500. With `includeEmpty` there is a batch for every answer of a node, at least every 5 s, also without items: it
   * has a newer head and cursor. Otherwise no batch is empty.
   */
  async *batches({ maxSize = ITEMS_MAX, includeEmpty = false }: BatchOptions = {}): AsyncGenerator<StreamBatch<T>, void> {
    if (!Number.isInteger(maxSize) || maxSize < 1 || maxSize > ITEMS_MAX)
      throw new RangeError(`maxSize must be an integer from 1 to ${ITEMS_MAX}, not ${maxSize}`)
    const acknowledged = new Acknowledged(this.#options.cursor)
    try {
      for await (const segment of await this.#segments(maxSize)) {
        const { entries, head } = segment
        if (entries.length === 0 && includeEmpty) yield { items: [], cursor: segment.cursor, head }
        // A merge has as many as that of each of its streams.
        for (let at = 0; at < entries.length; at += maxSize) {
          const some = entries.slice(at, at + maxSize)
          const cursor = cursorBehind(segment, some.at(-1)!)
          yield { items: some.map(({ value }) => value), cursor, head }
          acknowledged.position(cursor)
        }
        acknowledged.position(segment.cursor)
      }
    } finally {
      await acknowledged.flush()
    }
  }

  map<U>(change: (item: T) => U): Stream<U> {
    return this.#derive((entries) => entries.map(({ value, place }) => ({ value: change(value), place })))
  }

  filter<S extends T>(passes: (item: T) => item is S): Stream<S>
  filter(passes: (item: T) => boolean): Stream<T>
  filter(passes: (item: T) => boolean): Stream<T> {
    return this.#derive((entries) => entries.filter(({ value }) => passes(value)))
  }

  /**
   * The same items, read ahead of the consumer: up to `maxSize` of them wait for it. Without a buffer a stream reads one batch ahead, and waits.
   *
   * @throws RangeError if `maxSize` is no integer from 1 to 100,000
   */
  buffer(options: BufferOptions): Stream<T> {
    return new Stream(buffered(this.#open, options), this.#options, this.isMerged)
  }

  /**
   * Two streams of the items that pass and of those that do not. Each reads for itself and has its own position, so neither waits for the
   * other.
   */
  split(
    passes: (item: T) => boolean,
    cursors: { readonly passing?: CursorStore; readonly others?: CursorStore } = {},
  ): [Stream<T>, Stream<T>] {
    const withCursor = (cursor: CursorStore | undefined): Stream<T> =>
      new Stream(this.#open, { ...this.#options, cursor }, this.isMerged)
    return [withCursor(cursors.passing).filter(passes), withCursor(cursors.others).filter((item) => !passes(item))]
  }

  /**
   * The items as a web stream. It reads ahead, so nothing is acknowledged by reading: each chunk has an `acknowledge` of its own.
   */
  toReadableStream(): ReadableStream<{ readonly item: T; acknowledge(): Promise<void> }> {
    const { cursor, signal } = this.#options
    const stop = follow(signal)
    const entries = this.#entries(stop.signal)
    return new ReadableStream({
      async pull(controller) {
        const { item, position } = (await entries.next()).value
        controller.enqueue({ item, acknowledge: async () => cursor?.write(position) })
      },
      cancel(reason) {
        stop.unlink()
        stop.abort(reason)
      },
    })
  }

  /** For `merge`. */
  open(reading: Reading): AsyncIterable<Segment<T>> {
    return this.#open(reading)
  }

  #derive<U>(change: (entries: readonly Entry<T>[]) => readonly Entry<U>[]): Stream<U> {
    const open = this.#open
    return new Stream(
      async function* (reading) {
        for await (const segment of open(reading)) yield { ...segment, entries: change(segment.entries) }
      },
      this.#options,
      this.isMerged,
    )
  }

  async *#entries(signal: AbortSignal): AsyncGenerator<{ readonly item: T; readonly position: string }, never> {
    for await (const segment of await this.#segments(ITEMS_MAX, signal))
      for (const entry of segment.entries) yield { item: entry.value, position: cursorBehind(segment, entry) }
    throw new Error('a stream has no end')
  }

  async #segments(itemsMax: number, signal?: AbortSignal): Promise<AsyncIterable<Segment<T>>> {
    const { cursor, after, from = 'now', onUnknownCursor = 'throw' } = this.#options
    const stored = after ?? (await cursor?.read())
    const start: StreamFrom = stored === undefined ? from : { cursor: stored }
    return this.#open({ from: start, onUnknownCursor, itemsMax, signal: signal ?? this.#options.signal ?? NEVER })
  }
}
