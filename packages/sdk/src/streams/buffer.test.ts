import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chain, type Item, sizes, sourceOf } from '../../test/streams/model.ts'
import type { WhenFull } from './buffer.ts'
import { StreamOverflowError } from './errors.ts'
import { endOf } from './place.ts'
import type { Segment } from './segment.ts'
import { Stream } from './stream.ts'

const maxSize = fc.integer({ min: 1, max: 8 })
/** How many turns of the event loop the consumer takes for an item. */
const paces = fc.array(fc.nat(4), { minLength: 1, maxLength: 5 })

/** Lets the source run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Case {
  readonly items: readonly Item[]
  readonly batches: readonly number[]
  readonly maxSize: number
  readonly paces: readonly number[]
}

const cases: fc.Arbitrary<Case> = fc.record({ items: chain.filter(({ length }) => length > 0), batches: sizes, maxSize, paces })

/** A consumer that is slow now and then, until the last item or a failure. */
async function consume(
  { items, batches, maxSize, paces }: Case,
  whenFull: WhenFull,
  after?: string,
): Promise<{ readonly seen: readonly Item[]; readonly dropped: number; readonly error: unknown }> {
  const seen: Item[] = []
  let dropped = 0
  const onDrop = (count: number): void => void (dropped += count)
  const stream = new Stream(sourceOf(items, batches), { after, from: { block: 0n } }).buffer({ maxSize, whenFull, onDrop })
  try {
    for await (const item of stream) {
      for (let i = 0; i < paces[seen.length % paces.length]!; i++) await turn()
      seen.push(item)
      if (item === items.at(-1)) break
    }
    return { seen, dropped, error: undefined }
  } catch (error) {
    return { seen, dropped, error }
  }
}

describe('a buffer', () => {
  it('that waits gives every item, in order', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { seen, dropped, error } = await consume(one, 'wait')
        expect([seen, dropped, error]).toEqual([one.items, 0, undefined])
      }),
    )
  })

  it('that drops the oldest items gives the newest ones in order, and tells how many it dropped', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { seen, dropped, error } = await consume(one, 'drop-oldest')
        expect(error).toBeUndefined()
        expect(seen).toEqual(one.items.filter((item) => seen.includes(item)))
        expect(seen.length + dropped).toBe(one.items.length)
      }),
    )
  })

  it('drops all but the newest items while its consumer stands still', async () => {
    const items: readonly Item[] = Array.from({ length: 40 }, (_, height) => [height, 0, 0])
    const stream = new Stream(sourceOf(items, [3, 0]), { from: { block: 0n } }).buffer({ maxSize: 5, whenFull: 'drop-oldest' })
    const reading = stream[Symbol.asyncIterator]()
    const first = (await reading.next()).value as Item
    for (let i = 0; i < 200; i++) await turn()
    const rest: number[] = []
    while (rest.at(-1) !== 39) rest.push(((await reading.next()).value as Item)[0])
    await reading.return()
    expect(first[0]).toBe(0)
    // What was taken out with the first item is the consumer's.
    expect(rest.slice(-5)).toEqual([35, 36, 37, 38, 39])
    expect(rest.length).toBeLessThanOrEqual(2 + 5)
  })

  it('that fails gives what it had, and the stream goes on behind its cursor', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const seen: Item[] = []
        let after: string | undefined
        for (;;) {
          const part = await consume(one, 'fail', after)
          seen.push(...part.seen)
          if (part.error === undefined) break
          expect(part.error).toBeInstanceOf(StreamOverflowError)
          after = (part.error as StreamOverflowError).cursor
        }
        expect(seen).toEqual(one.items)
      }),
    )
  })

  it('ends with its source, after what it had', async () => {
    const open = async function* () {
      yield* []
      throw new Error('the source failed')
    }
    const stream = new Stream<Item>(open as never, {}).buffer({ maxSize: 1 })
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow('the source failed')
  })

  it('ends with its signal, also while the source waits for room', async () => {
    const stop = new AbortController()
    const items: readonly Item[] = [0, 1, 2, 3].map((height) => [height, 0, 0])
    const stream = new Stream(sourceOf(items, [1]), { from: { block: 0n }, signal: stop.signal }).buffer({ maxSize: 1 })
    const reading = stream[Symbol.asyncIterator]()
    await reading.next()
    await turn()
    stop.abort(new Error('enough'))
    const rest = async (): Promise<void> => {
      while ((await reading.next()).done !== true);
    }
    await expect(rest()).rejects.toThrow('enough')
  })

  it('has cursors of the new chain behind a reset, also when nothing came just before it', async () => {
    const [old, ...rest] = [0, 1, 2].map((height) => ({
      ...{ value: height, place: { height, transactionIndex: 0, logIndex: 0, source: 0 } },
    }))
    const common = { through: endOf(9), head: { number: 9n, hash: '0x', time: 0 }, isMerged: false } as const
    const open = async function* (): AsyncGenerator<Segment<number>, never> {
      yield { ...common, entries: [old!], start: 'old0', cursor: 'old1', isRestart: false }
      yield { ...common, entries: [], start: 'old1', cursor: 'old2', isRestart: false }
      yield { ...common, entries: rest, start: 'new0', cursor: 'new2', isRestart: true }
      await new Promise(() => {})
      throw new Error('unreachable')
    }
    const reading = new Stream(open, {}).buffer({ maxSize: 9 }).batches({ maxSize: 1 })
    await reading.next()
    await turn()
    expect((await reading.next()).value!.cursor).toBe('new0~1.0.0.0')
  })

  it('has a size', () => {
    const stream = new Stream(sourceOf([], [1]), {})
    for (const maxSize of [0, 1.5, 100_001]) expect(() => stream.buffer({ maxSize })).toThrow(RangeError)
  })
})
