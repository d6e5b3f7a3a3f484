import fc from 'fast-check'
import { cut, readCursor } from '../../src/streams/cursor.ts'
import { endOf, type Place } from '../../src/streams/place.ts'
import type { Open } from '../../src/streams/reading.ts'
import type { Entry, Segment } from '../../src/streams/segment.ts'

/** Items of a model chain: `[height, transactionIndex, logIndex]`, ascending. */
export type Item = readonly [number, number, number]

const placeOf = ([height, transactionIndex, logIndex]: Item): Place => ({ height, transactionIndex, logIndex, source: 0 })

const HEAD = { number: 100n, hash: '0x' as const, time: 0 }

/** A source over a list, which sends batches of the given sizes in turn (0: an empty one). Its cursors count the items that are behind them. */
export function sourceOf(items: readonly Item[], sizes: readonly number[]): Open<Item> {
  return async function* ({ from, itemsMax, signal }): AsyncGenerator<Segment<Item>, never> {
    const parts = typeof from === 'object' && 'cursor' in from ? readCursor(from.cursor) : { node: 'c0', last: undefined }
    if (parts === undefined) throw new Error('no cursor')
    let { last } = parts
    let at = Number(parts.node.slice(1))
    for (let turn = 0; ; turn++) {
      signal.throwIfAborted()
      await Promise.resolve()
      const size = Math.min(itemsMax, sizes[turn % sizes.length]!)
      const batch: readonly Entry<Item>[] = items.slice(at, at + size).map((value) => ({ value, place: placeOf(value) }))
      const next = items[at + size]
      const through = next === undefined ? endOf(101) : (batch.at(-1)?.place ?? endOf(next[0] - 1))
      const whole = { start: `c${at}`, cursor: `c${at + batch.length}`, through, head: HEAD, isMerged: false, isRestart: false }
      const part = cut({ ...whole, entries: batch }, last)
      last = part.last
      yield part.segment
      at += batch.length
      // A source without news waits for the next block.
      if (at === items.length && batch.length === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

const item: fc.Arbitrary<Item> = fc.tuple(fc.nat(12), fc.nat(3), fc.nat(3))
/** A model chain. */
export const chain = fc
  .uniqueArray(item, { maxLength: 40, selector: (one) => one.join() })
  .map((items) => items.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]))
/** Sizes of batches. */
export const sizes = fc.array(fc.nat(6), { minLength: 1, maxLength: 5 }).filter((list) => list.some((size) => size > 0))
