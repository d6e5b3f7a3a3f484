import type { Field } from './field.ts'
import type { Mapping, Nested } from './mapping.ts'
import type { Value } from './value.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- the values' types do not matter here
type Replaceable = Value<any, any> | Mapping<any, any, any> | Nested<any, any>

/** Argument of `convert`: a stored value of the former field. */
type Held<W> = W extends Nested<never, infer Inner> ? Held<Inner> : W extends { set(...values: infer V): void } ? Last<V> : never
type Last<V extends readonly unknown[]> = V extends readonly [...unknown[], infer L] ? L : never

/**
 * Declares a field that replaces another one with a different type. Values that were not written to it yet are read from the former field and
 * converted:
 *
 *     const points = mapping('address', 'uint32')
 *     state: { points, scores: replacing('points', points, mapping('address', 'uint256'), (old) => old * 100n) }
 *
 * A write or removal also removes the former value, so that an upgrade does not have to move any data. Both fields must be values, or mappings with
 * equal keys. Keep the declaration of the former field under its name.
 */
export function replacing<W extends Replaceable, R, F extends Field<Replaceable, unknown>>(
  name: string,
  former: F,
  field: Field<W, R>,
  convert: (old: Held<F extends Field<infer O, unknown> ? O : never>) => Held<W>,
): Field<W, R> {
  return {
    type: `${field.type} over ${name}`,
    open: (place) =>
      overlay(
        field.open(place) as unknown as Accessor,
        former.open(name) as unknown as Accessor,
        convert as Convert,
      ) as unknown as W,
  }
}

type Convert = (old: unknown) => unknown
type Key = readonly unknown[]

/** A value, mapping or mapping of fields, with any types. */
interface Accessor {
  at?(key: unknown): Accessor
  get(...key: Key): unknown
  has(...key: Key): boolean
  set(...keyAndValue: Key): void
  remove(...key: Key): void
}

function overlay(next: Accessor, former: Accessor, convert: Convert): Partial<Accessor> & { update?: unknown } {
  if (next.at) return { at: (key) => overlay(next.at!(key), former.at!(key), convert) as Accessor }
  const get = (...key: Key) => (!next.has(...key) && former.has(...key) ? convert(former.get(...key)) : next.get(...key))
  const set = (...keyAndValue: Key) => {
    next.set(...keyAndValue)
    former.remove(...keyAndValue.slice(0, -1))
  }
  return {
    get,
    set,
    has: (...key) => next.has(...key) || former.has(...key),
    remove(...key) {
      next.remove(...key)
      former.remove(...key)
    },
    update(...keyAndChange: readonly unknown[]) {
      const key = keyAndChange.slice(0, -1)
      const value = (keyAndChange.at(-1) as Convert)(get(...key))
      set(...key, value)
      return value
    },
  }
}
