import type { Guest } from '../guest.ts'
import type { Spec, SpecValue, Stored } from '../value-types.ts'
import type { Field } from './field.ts'
import { type Shape, shapeOf } from './spec.ts'

declare const quoin: Guest

/** One value of the state, for `view` functions. */
export interface ReadValue<R> {
  /** The value. If none was set: zero or empty; undefined for arrays and structs. */
  get(): R
  /** Whether there is a value. For words, strings and bytes: whether it is not zero or empty. */
  has(): boolean
}

/** One value of the state. */
export interface Value<V, R> extends ReadValue<R> {
  /** Sets the value. Zero, `false` and empty values remove it. */
  set(value: V): void
  /** Removes the value. */
  remove(): void
  /** Replaces the value with the result of a function of it, and returns the new value. */
  update(change: (value: R) => V): V
}

/** A place in storage, with the type of its value. */
class Slot<V, R> implements Value<V, R> {
  readonly #place: string
  readonly #shape: Shape<V>

  constructor(place: string, shape: Shape<V>) {
    this.#place = place
    this.#shape = shape
  }

  get(): R {
    return loadAt(this.#shape, this.#place)
  }

  has(): boolean {
    return quoin.has(this.#place)
  }

  remove(): void {
    quoin.remove(this.#place)
  }

  set(value: V): void {
    storeAt(this.#shape, this.#place, value)
  }

  update(change: (value: R) => V): V {
    const value = change(this.get())
    this.set(value)
    return value
  }
}

/** Loads the value at a place. */
export function loadAt<V, R>(shape: Shape<V>, place: string): R {
  const stored = quoin.load(shape.type, place)
  return (shape.unpack && stored !== undefined ? shape.unpack(stored) : stored) as R
}

export function storeAt<V>(shape: Shape<V>, place: string, value: V): void {
  quoin.store(shape.type, place, shape.pack ? shape.pack(value) : value)
}

/** Declares one value: `value('uint256')`, `value('address[]')`, `value({ owner: 'address', since: 'uint64' })`. */
export function value<const T extends Spec>(spec: T): Field<Value<SpecValue<T>, Stored<T>>, ReadValue<Stored<T>>> {
  const shape = shapeOf(spec)
  return { type: `value(${shape.type})`, open: (place) => new Slot(place, shape) }
}
