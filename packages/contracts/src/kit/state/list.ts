import type { Guest } from '../guest.ts'
import type { Spec, SpecValue } from '../value-types.ts'
import type { Field } from './field.ts'
import { type Shape, shapeOf } from './spec.ts'
import { loadAt, storeAt } from './value.ts'

declare const quoin: Guest

/**
 * A list, for `view` functions. A loop over it ends at the list's length at that moment, as with a JavaScript array: it sees values that it pushes, and
 * not those that it pops.
 */
export interface ReadList<V> extends Iterable<V> {
  readonly length: bigint
  /** The value at an index. Throws RangeError if the index is out of range. */
  get(index: bigint): V
  /** Values from index `from` up to but not including `to`. Reads only these values. */
  slice(from: bigint, to?: bigint): readonly V[]
}

/** A list of values. Each value has its own place in storage: values that are not accessed cost no gas. */
export interface List<V> extends ReadList<V> {
  /** Replaces the value at an index. Throws RangeError if the index is out of range; only `push` makes the list longer. */
  set(index: bigint, value: V): void
  /** Appends a value and returns its index. */
  push(value: V): bigint
  /** Removes the last value and returns it; undefined if the list is empty. */
  pop(): V | undefined
}

/** Storage: values at `place#0`, `place#1`, …; their number at `place`. */
export class Row<V> implements List<V> {
  readonly #place: string
  readonly #shape: Shape<V>

  constructor(place: string, shape: Shape<V>) {
    this.#place = place
    this.#shape = shape
  }

  get length(): bigint {
    return quoin.load('uint256', this.#place) as bigint
  }

  get(index: bigint): V {
    return loadAt(this.#shape, this.#inside(index))
  }

  set(index: bigint, value: V): void {
    storeAt(this.#shape, this.#inside(index), value)
  }

  push(value: V): bigint {
    const { length } = this
    storeAt(this.#shape, `${this.#place}#${length}`, value)
    quoin.store('uint256', this.#place, length + 1n)
    return length
  }

  pop(): V | undefined {
    const last = this.length - 1n
    if (last < 0n) return undefined
    const place = `${this.#place}#${last}`
    const value = loadAt<V, V>(this.#shape, place)
    quoin.remove(place)
    quoin.store('uint256', this.#place, last)
    return value
  }

  /** The value at an index; undefined if the index is out of range. */
  find(index: bigint): V | undefined {
    return index < this.length ? loadAt(this.#shape, `${this.#place}#${index}`) : undefined
  }

  slice(from: bigint, to: bigint = this.length): readonly V[] {
    const { length } = this
    const values: V[] = []
    for (let index = from < 0n ? 0n : from; index < (to < length ? to : length); index++)
      values.push(loadAt(this.#shape, `${this.#place}#${index}`))
    return values
  }

  *[Symbol.iterator](): Iterator<V> {
    for (let index = 0n; index < this.length; index++) yield loadAt(this.#shape, `${this.#place}#${index}`)
  }

  #inside(index: bigint): string {
    const { length } = this
    if (typeof index !== 'bigint' || index < 0n || index >= length) throw new RangeError(`index ${index}, the list has ${length}`)
    return `${this.#place}#${index}`
  }
}

/** Declares a list: `list('address')`, `list({ at: 'uint64', text: 'string' })`. */
export function list<const T extends Spec>(spec: T): Field<List<SpecValue<T>>, ReadList<SpecValue<T>>> {
  const shape = shapeOf(spec)
  return { type: `list(${shape.type})`, open: (place) => new Row(place, shape) }
}
