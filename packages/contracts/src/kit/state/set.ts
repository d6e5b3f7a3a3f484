import type { Guest } from '../guest.ts'
import type { ScalarType, SpecValue } from '../value-types.ts'
import type { Field } from './field.ts'
import { type KeyText, keyTextOf } from './key.ts'
import { type List, Row } from './list.ts'
import { shapeOf } from './spec.ts'

declare const quoin: Guest

/** A set, for `view` functions. */
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

/** Storage: a list of the values, and the position of each value, counted from 1, at `place:value`. */
class Members<V> implements ValueSet<V> {
  readonly #prefix: string
  readonly #text: KeyText<V>
  readonly #row: List<V>

  constructor(place: string, text: KeyText<V>, row: List<V>) {
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

  [Symbol.iterator](): Iterator<V> {
    return this.#row[Symbol.iterator]()
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
    if (position > this.#row.length) return true
    this.#row.set(position - 1n, last)
    quoin.store('uint256', this.#text(this.#prefix, last), position)
    return true
  }
}

/** Declares a set: `set('address')`. */
export function set<const T extends ScalarType>(type: T): Field<ValueSet<SpecValue<T>>, ReadSet<SpecValue<T>>> {
  const shape = shapeOf(type)
  const text = keyTextOf(type)
  return { type: `set(${type})`, open: (place) => new Members(place, text, new Row(place, shape)) }
}
