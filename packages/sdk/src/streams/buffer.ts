import { follow } from '../aborts.ts'
import { StreamOverflowError } from './errors.ts'
import type { Open, Reading } from './reading.ts'
import type { Segment } from './segment.ts'

/**
 * What happens to the next item when the buffer is full: the source waits for the consumer (nothing is lost), the item that waits longest is dropped, or the stream ends with a
 * `StreamOverflowError` once the consumer has what is in the buffer.
 */
export type WhenFull = 'wait' | 'drop-oldest' | 'fail'

export interface BufferOptions {
  /** Most items that wait for the consumer, from 1 to 100,000. */
  readonly maxSize: number
  /** Default: `wait`. */
  readonly whenFull?: WhenFull | undefined
  /** Hears how many items were dropped, each time. They count as delivered: the cursor is behind them. */
  onDrop?(count: number): void
}

const ITEMS_MAX = 100_000

/** Reads a source ahead of its consumer. @throws RangeError if `maxSize` is not in its range */
export function buffered<T>(open: Open<T>, options: BufferOptions): Open<T> {
  const { maxSize } = options
  if (!Number.isInteger(maxSize) || maxSize < 1 || maxSize > ITEMS_MAX)
    throw new RangeError(`maxSize must be an integer from 1 to ${ITEMS_MAX}, not ${maxSize}`)
  return (reading) => readAhead(open, reading, options)
}

async function* readAhead<T>(open: Open<T>, reading: Reading, options: BufferOptions): AsyncGenerator<Segment<T>, never> {
  const stop = follow(reading.signal)
  const buffer = new Buffered<T>(options)
  const itemsMax = Math.min(reading.itemsMax, options.maxSize)
  const filling = fill(open({ ...reading, itemsMax, signal: stop.signal }), buffer)
  try {
    for (;;) yield await buffer.take()
  } finally {
    stop.unlink()
    stop.abort(new Error('the stream has ended'))
    buffer.close()
    await filling
  }
}

/** Until the source fails or the buffer is closed. Never rejects: the consumer hears of it. */
async function fill<T>(source: AsyncIterable<Segment<T>>, buffer: Buffered<T>): Promise<void> {
  try {
    for await (const segment of source) if (!(await buffer.put(segment))) return
  } catch (error) {
    buffer.fail(error)
  }
}

/** Segments that wait for the consumer. */
class Buffered<T> {
  readonly #maxSize: number
  readonly #whenFull: WhenFull
  readonly #onDrop: ((count: number) => void) | undefined
  readonly #segments: Segment<T>[] = []
  #size = 0
  #isClosed = false
  #failure: { readonly error: unknown } | undefined
  #wakeSource: () => void = () => {}
  #wakeConsumer: () => void = () => {}

  constructor({ maxSize, whenFull = 'wait', onDrop }: BufferOptions) {
    this.#maxSize = maxSize
    this.#whenFull = whenFull
    this.#onDrop = onDrop
  }

  /** Resolves when the next segment may come; to false when none will be taken any more. */
  async put(segment: Segment<T>): Promise<boolean> {
    while (this.#whenFull === 'wait' && !this.#isClosed && this.#isTooMuch(segment)) await this.#room()
    if (this.#isClosed) return false
    if (this.#whenFull === 'fail' && this.#isTooMuch(segment)) {
      this.fail(new StreamOverflowError(this.#maxSize, this.#segments.at(-1)?.cursor ?? segment.start))
      return false
    }
    this.#add(segment)
    this.#dropOldest()
    this.#wakeConsumer()
    return true
  }

  /** The next segment. Rejects with the failure of the source once nothing waits any more. */
  async take(): Promise<Segment<T>> {
    for (;;) {
      const segment = this.#segments.shift()
      if (segment !== undefined) {
        this.#size -= segment.entries.length
        this.#wakeSource()
        return segment
      }
      if (this.#failure !== undefined) throw this.#failure.error
      await new Promise<void>((resolve) => {
        this.#wakeConsumer = resolve
      })
    }
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wakeConsumer()
  }

  close(): void {
    this.#isClosed = true
    this.#wakeSource()
  }

  #isTooMuch({ entries }: Segment<T>): boolean {
    return this.#size > 0 && this.#size + entries.length > this.#maxSize
  }

  /** Of an empty segment only the position counts, and the next one has it too: a consumer that stands still collects none of them. */
  #add(segment: Segment<T>): void {
    const last = this.#segments.at(-1)
    const isRestart = segment.isRestart || last?.isRestart === true
    if (last?.entries.length === 0) this.#segments.splice(-1, 1, { ...segment, isRestart })
    else this.#segments.push(segment)
    this.#size += segment.entries.length
  }

  #dropOldest(): void {
    let excess = this.#size - this.#maxSize
    if (excess <= 0) return
    this.#onDrop?.(excess)
    while (excess > 0) {
      const [oldest, next] = this.#segments
      const { entries } = oldest!
      const dropped = Math.min(excess, entries.length)
      if (next !== undefined && dropped === entries.length)
        this.#segments.splice(0, 2, { ...next, isRestart: next.isRestart || oldest!.isRestart })
      else this.#segments[0] = { ...oldest!, entries: entries.slice(dropped) }
      this.#size -= dropped
      excess -= dropped
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeSource = resolve
    })
  }
}
