import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chain, type Item, sizes, sourceOf } from '../../test/streams/model.ts'
import { readCursor } from './cursor.ts'
import type { CursorStore } from './cursor-store.ts'
import { merge } from './merge.ts'
import { Stream } from './stream.ts'

/** Keeps the position, and says which cursors were written. */
class MemoryCursor implements CursorStore {
  written: string | undefined

  async read(): Promise<string | undefined> {
    return this.written
  }

  async write(cursor: string): Promise<void> {
    this.written = cursor
  }
}

describe('a stream', () => {
  it('gives every item once, in order, over all interruptions of a consumer that commits cursors with what it wrote', async () => {
    const property = fc.asyncProperty(
      chain,
      sizes,
      fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }))),
      fc.boolean(),
      async (items, batches, crashes, includeEmpty) => {
        const written: Item[] = []
        let after: string | undefined
        for (const [maxSize, count] of [...crashes, [500, Number.POSITIVE_INFINITY] as const]) {
          if (written.length === items.length) break
          let taken = 0
          const stream = new Stream(sourceOf(items, batches), { after, from: { block: 0n } })
          for await (const batch of stream.batches({ maxSize, includeEmpty })) {
            expect(batch.items.length).toBeLessThanOrEqual(maxSize)
            expect(batch.items.length).toBeGreaterThanOrEqual(includeEmpty ? 0 : 1)
            written.push(...batch.items)
            after = batch.cursor
            if (++taken === count || written.length === items.length) break
          }
        }
        expect(written).toEqual(items)
      },
    )
    await fc.assert(property)
  })

  it('continues behind the last acknowledged item: one is acknowledged when the next one is asked for', async () => {
    const counts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1 })
    const property = fc.asyncProperty(
      chain.filter(({ length }) => length > 0),
      sizes,
      counts,
      async (items, batches, crashes) => {
        const cursor = new MemoryCursor()
        let acknowledged = 0
        for (const count of crashes) {
          let taken = 0
          for await (const value of new Stream(sourceOf(items, batches), { cursor, from: { block: 0n } })) {
            expect(value).toEqual(items[acknowledged + taken])
            taken++
            if (taken === count || acknowledged + taken === items.length) break
          }
          acknowledged += taken - 1
        }
      },
    )
    await fc.assert(property)
  })
})

it('a stream that includes empty batches tells of each answer, and acknowledges its position', async () => {
  const cursor = new MemoryCursor()
  const seen: number[] = []
  for await (const { items } of new Stream(sourceOf([[1, 0, 0]], [0, 1]), { cursor }).batches({ includeEmpty: true }))
    if (seen.push(items.length) === 4) break
  expect(seen).toEqual([0, 1, 0, 0])
  expect(readCursor(cursor.written!)!.node).toBe('c1')
})

describe('streams of streams', () => {
  const items: readonly Item[] = [0, 1, 2, 3, 4, 5, 6, 7].map((height) => [height, 0, 0])
  const whole = (cursor?: CursorStore) => new Stream(sourceOf(items, [3]), { cursor, from: { block: 0n } })
  const heights = async (stream: AsyncIterable<Item>, count: number): Promise<number[]> => {
    const seen: number[] = []
    for await (const [height] of stream) if (seen.push(height) === count) break
    return seen
  }

  it('split gives each item to one side, and each side has its own position', async () => {
    const [passing, others] = [new MemoryCursor(), new MemoryCursor()]
    const isEven = ([height]: Item): boolean => height % 2 === 0
    const sides = () => whole(new MemoryCursor()).split(isEven, { passing, others })
    expect(await heights(sides()[0], 3)).toEqual([0, 2, 4])
    expect(await heights(sides()[1], 2)).toEqual([1, 3])
    // The last item that each side saw was not acknowledged.
    expect([await heights(sides()[0], 2), await heights(sides()[1], 3)]).toEqual([
      [4, 6],
      [3, 5, 7],
    ])
  })

  it('as a web stream acknowledges what the reader says, and ends when it is cancelled', async () => {
    const cursor = new MemoryCursor()
    const reader = whole(cursor).toReadableStream().getReader()
    const chunks = [await reader.read(), await reader.read(), await reader.read()]
    expect(chunks.map(({ value }) => value!.item[0])).toEqual([0, 1, 2])
    expect(cursor.written).toBeUndefined()
    await chunks[1]!.value!.acknowledge()
    await reader.cancel()
    expect(await heights(whole(cursor), 2)).toEqual([2, 3])
  })

  it('a position that cannot be written ends the stream', async () => {
    const cursor: CursorStore = { read: async () => undefined, write: async () => Promise.reject(new Error('the disk is full')) }
    await expect(heights(whole(cursor), 8)).rejects.toThrow('the disk is full')
  })
})

describe('a merge', () => {
  it('gives the items of all streams in the order of the chain, each once, over all interruptions', async () => {
    const branch = fc.tuple(chain, sizes)
    const crash = fc.integer({ min: 1, max: 7 })
    const property = fc.asyncProperty(
      fc.array(branch, { minLength: 1, maxLength: 4 }),
      fc.array(crash),
      async (branches, crashes) => {
        const order = (a: readonly [Item, number], b: readonly [Item, number]): number =>
          a[0][0] - b[0][0] || a[0][1] - b[0][1] || a[0][2] - b[0][2] || a[1] - b[1]
        const wanted = branches.flatMap(([items], i) => items.map((one) => [one, i] as const)).sort(order)
        const merged = (cursor: CursorStore) =>
          merge(
            branches.map(([items, batches], i) => new Stream(sourceOf(items, batches), {}).map((one) => [one, i] as const)),
            { cursor, from: { block: 0n } },
          )
        const cursor = new MemoryCursor()
        const seen: (readonly [Item, number])[] = []
        for (const count of [...crashes, wanted.length + 1]) {
          if (seen.length === wanted.length) break
          let taken = 0
          for await (const one of merged(cursor)) {
            // Left in the turn of this item, which comes again.
            if (taken++ === count) break
            seen.push(one)
            if (seen.length === wanted.length) break
          }
        }
        expect(seen).toEqual(wanted)
      },
    )
    await fc.assert(property)
  })

  it('has batches of at most the size that was asked for, and goes on behind each of them', async () => {
    const branches = fc.array(fc.tuple(chain, sizes), { minLength: 1, maxLength: 3 })
    const property = fc.asyncProperty(
      branches,
      fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 8 }),
      async (all, turns) => {
        const count = all.reduce((sum, [items]) => sum + items.length, 0)
        const seen: string[] = []
        let after: string | undefined
        for (const maxSize of [...turns, 500]) {
          if (seen.length === count) break
          const streams = all.map(([items, batches], i) =>
            new Stream(sourceOf(items, batches), {}).map((one) => `${i}:${one.join()}`),
          )
          for await (const { items, cursor } of merge(streams, { after, from: { block: 0n } }).batches({ maxSize })) {
            expect(items.length).toBeLessThanOrEqual(maxSize)
            seen.push(...items)
            after = cursor
            if (maxSize < 500 || seen.length === count) break
          }
        }
        expect(seen.toSorted()).toEqual(all.flatMap(([items], i) => items.map((one) => `${i}:${one.join()}`)).toSorted())
      },
    )
    await fc.assert(property)
  })

  it('is not merged again', () => {
    const one = new Stream(sourceOf([], [1]), {})
    expect(() => merge([merge([one]).map(String)])).toThrow('a merge cannot be merged again')
  })
})
