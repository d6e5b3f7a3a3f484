import type { Guest } from '../guest.ts'
import type { Spec, SpecValue, Stored } from '../value-types.ts'
import type { Field } from './field.ts'
import { type Shape, shapeOf } from './spec.ts'

declare const quoin: Guest

/** One value of the state, as a `view` function sees it. */
export interface ReadValue<R> {
  /** The value; zero or empty where none was set, undefined for arrays and structs. */
  get(): R
  /** Whether there is a value: of words, text and bytes, one that is not zero or empty. */
  has(): boolean
}

/** One value of the state. */
export interface Value<V, R> extends ReadValue<R> {
  /** Zero, `false` and what is empty remove the value. */
  set(value: V): void
  /** Leaves nothing. */
  remove(): void
  /** Sets what a function makes of the value; answers with it. */
  update(change: (value: R) => V): V
}

/** A place in storage with the form of what lies there. */
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

/** What lies at a place. */
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
