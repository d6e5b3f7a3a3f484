import type { Guest } from '../guest.ts'
import type { ScalarType, Spec, SpecValue, Stored } from '../value-types.ts'
import type { Field, Read, Written } from './field.ts'
import { type KeyText, keyTextOf, PLACE_CHARS_MAX, shortKey } from './key.ts'
import { type Shape, shapeOf } from './spec.ts'
import { loadAt, storeAt } from './value.ts'

declare const quoin: Guest

/** A mapping, for `view` functions. */
export interface ReadMapping<K, R> {
  /** The value of a key. If there is none: zero or empty; undefined for arrays and structs. */
  get(key: K): R
  /** Whether the key has a value. For words, strings and bytes: whether it is not zero or empty. */
  has(key: K): boolean
}

/** Values by key. It does not store its keys; use `set` or `table` to list them. */
export interface Mapping<K, V, R> extends ReadMapping<K, R> {
  /** Sets the value of a key. Zero, `false` and empty values remove it. */
  set(key: K, value: V): void
  /** Removes the value of a key. */
  remove(key: K): void
  /** Replaces the value with the result of a function of it, and returns the new value. */
  update(key: K, change: (value: R) => V): V
}

/** A mapping of fields: `state.allowances.at(owner).get(spender)`. */
export interface Nested<K, F> {
  /** The field of a key. Reads nothing. */
  at(key: K): F
}

class Entries<K, V, R> implements Mapping<K, V, R> {
  readonly #prefix: string
  readonly #text: KeyText<K>
  readonly #shape: Shape<V>

  constructor(place: string, text: KeyText<K>, shape: Shape<V>) {
    this.#prefix = `${place}:`
    this.#text = text
    this.#shape = shape
  }

  get(key: K): R {
    return loadAt(this.#shape, this.#text(this.#prefix, key))
  }

  has(key: K): boolean {
    return quoin.has(this.#text(this.#prefix, key))
  }

  set(key: K, value: V): void {
    storeAt(this.#shape, this.#text(this.#prefix, key), value)
  }

  remove(key: K): void {
    quoin.remove(this.#text(this.#prefix, key))
  }

  update(key: K, change: (value: R) => V): V {
    const place = this.#text(this.#prefix, key)
    const value = change(loadAt(this.#shape, place))
    storeAt(this.#shape, place, value)
    return value
  }
}

type EntriesField<K extends ScalarType, T extends Spec> = Field<
  Mapping<SpecValue<K>, SpecValue<T>, Stored<T>>,
  ReadMapping<SpecValue<K>, Stored<T>>
>
type NestedField<K extends ScalarType, F> = Field<Nested<SpecValue<K>, Written<F>>, Nested<SpecValue<K>, Read<F>>>

/** Declares a mapping to values, `mapping('address', 'uint256')`, or to fields, `mapping('address', mapping('address', 'uint256'))`. */
export function mapping<const K extends ScalarType, const T extends Spec>(key: K, value: T): EntriesField<K, T>
export function mapping<const K extends ScalarType, F extends Field<unknown, unknown>>(key: K, field: F): NestedField<K, F>
export function mapping(key: ScalarType, value: Spec | Field<unknown, unknown>): Field<unknown, unknown> {
  const text = keyTextOf(key)
  if (isField(value)) {
    const open = (place: string) => ({ at: (k: never) => value.open(shortKey(text(`${place}:`, k), PLACE_CHARS_MAX)) })
    return { type: `mapping(${key},${value.type})`, open }
  }
  const shape = shapeOf(value)
  return { type: `mapping(${key},${shape.type})`, open: (place) => new Entries(place, text as KeyText<never>, shape) }
}

const isField = (value: Spec | Field<unknown, unknown>): value is Field<unknown, unknown> =>
  typeof value === 'object' && typeof value.open === 'function'
