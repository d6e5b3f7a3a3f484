import type { Guest } from '../guest.ts'
import type { ScalarType, SpecValue } from '../value-types.ts'
import type { Field } from './field.ts'
import { type KeyText, keyTextOf } from './key.ts'
import { Row } from './list.ts'
import { shapeOf } from './spec.ts'

declare const quoin: Guest

/**
 * A set, for `view` functions. A loop over it may change the set, as with JavaScript's `Set`: it visits each value once that is in the set when the loop gets
 * there. It does not visit values that were removed before, and does visit values that were added meanwhile, also those that were removed and added
 * again. (Changes that a re-entrant call of the same contract makes meanwhile are not followed: the loop may miss values, or visit them twice.)
 */
export interface ReadSet<V> extends Iterable<V> {
  readonly size: bigint
  /** Whether the set contains a value. */
  has(value: V): boolean
  /** The value at a position. Positions change when values are removed. Throws RangeError if the position is out of range. */
  at(index: bigint): V
  /** Values from position `from` up to but not including `to`. */
  slice(from: bigint, to?: bigint): readonly V[]
}

/** A set of values that can be listed. The order is that of insertion, until a value is removed: then the last value takes its position. */
export interface ValueSet<V> extends ReadSet<V> {
  /** Adds a value. Returns whether it is new. */
  add(value: V): boolean
  /** Removes a value. Returns whether the set contained it. */
  remove(value: V): boolean
}

/** A running loop over a set. It lives in the memory of the call. */
interface Walk {
  /** The set's prefix. */
  readonly prefix: string
  /** The values before this position are visited, except those in `moved`. */
  next: bigint
  /** Values that a removal moved from their place ahead of the loop to a position before `next`, by their place. */
  readonly moved: Map<string, unknown>
}

const walks: Walk[] = []

/** Storage: a list of the values, and the position of each value, counted from 1, at `place:value`. */
class Members<V> implements ValueSet<V> {
  readonly #prefix: string
  readonly #text: KeyText<V>
  readonly #row: Row<V>

  constructor(place: string, text: KeyText<V>, row: Row<V>) {
    this.#prefix = `${place}:`
    this.#text = text
    this.#row = row
  }

  get size(): bigint {
    return this.#row.length
  }

  has(value: V): boolean {
    return quoin.has(this.#text(this.#prefix, value))
  }

  at(index: bigint): V {
    return this.#row.get(index)
  }

  slice(from: bigint, to?: bigint): readonly V[] {
    return this.#row.slice(from, to)
  }

  *[Symbol.iterator](): Iterator<V> {
    const walk: Walk = { prefix: this.#prefix, next: 0n, moved: new Map() }
    walks.push(walk)
    try {
      for (;;) {
        const value = this.#row.find(walk.next)
        if (value !== undefined) {
          walk.next++
          yield value
          continue
        }
        const [moved] = walk.moved
        if (moved === undefined) return
        walk.moved.delete(moved[0])
        yield moved[1] as V
      }
    } finally {
      walks.splice(walks.indexOf(walk), 1)
    }
  }

  add(value: V): boolean {
    const place = this.#text(this.#prefix, value)
    if (quoin.has(place)) return false
    quoin.store('uint256', place, this.#row.push(value) + 1n)
    return true
  }

  remove(value: V): boolean {
    const place = this.#text(this.#prefix, value)
    const position = quoin.load('uint256', place) as bigint
    if (position === 0n) return false
    const last = this.#row.pop()!
    quoin.remove(place)
    const lastPlace = this.#text(this.#prefix, last)
    const { length } = this.#row
    for (const walk of walks) {
      if (walk.prefix !== this.#prefix) continue
      walk.moved.delete(place)
      if (position > walk.next) continue
      if (length < walk.next) walk.next--
      else walk.moved.set(lastPlace, last)
    }
    if (position > length) return true
    this.#row.set(position - 1n, last)
    quoin.store('uint256', lastPlace, position)
    return true
  }
}

/** Declares a set: `set('address')`. */
export function set<const T extends ScalarType>(type: T): Field<ValueSet<SpecValue<T>>, ReadSet<SpecValue<T>>> {
  const shape = shapeOf(type)
  const text = keyTextOf(type)
  return { type: `set(${type})`, open: (place) => new Members(place, text, new Row(place, shape)) }
}
