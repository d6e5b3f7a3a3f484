import type { Guest } from '../guest.ts'
import type { SpecValue, Struct, WordType } from '../value-types.ts'
import type { Field } from './field.ts'
import { type Shape, shapeOf } from './spec.ts'
import { type KeyBound, type KeyCodec, type KeySpec, type KeyValue, keyCodec } from './table-key.ts'
import { addText, END, removeText, textsOf, treeSize } from './table-tree.ts'
import { loadAt, storeAt } from './value.ts'

declare const quoin: Guest

/**
 * A range of rows, in the order of their keys; without members, all rows. For keys with several members, `from`, `to` and `prefix` may contain only
 * the leading ones.
 */
export interface Range<K extends KeySpec> {
  /** Lower bound, inclusive: a key or its leading members. */
  readonly from?: KeyBound<K> | undefined
  /** Upper bound, exclusive: neither this key nor keys that begin with these members. */
  readonly to?: KeyBound<K> | undefined
  /** Leading members that all keys must have. */
  readonly prefix?: (K extends WordType ? never : KeyBound<K>) | undefined
  /** Iterate from the last row to the first. */
  readonly reverse?: boolean | undefined
  /** Maximum number of rows. */
  readonly limit?: bigint | undefined
}

type Entry<K extends KeySpec, V> = readonly [key: KeyValue<K>, row: V]

/** A table, for `view` functions. */
export interface ReadTable<K extends KeySpec, V> {
  /** Number of rows. */
  readonly size: bigint
  /** The row of a key; undefined if there is none. Reads only this row. */
  get(key: KeyValue<K>): V | undefined
  /** Whether the key has a row. */
  has(key: KeyValue<K>): boolean
  /**
   * Iterates over keys and rows; each row is read when the loop reaches it. The iterator can be used once. The loop may change the table: each step
   * goes to the next key at that moment, so that rows which were removed ahead of the loop are not seen, and rows which were added ahead of it are
   * seen. (Rows that a re-entrant call of the same contract adds meanwhile may be missed.)
   */
  range(range?: Range<K>): IterableIterator<Entry<K, V>>
  /** Iterates over keys only, without reading rows. */
  keys(range?: Range<K>): IterableIterator<KeyValue<K>>
  /** The first row of the table, or of a range. */
  first(range?: Omit<Range<K>, 'reverse' | 'limit'>): Entry<K, V> | undefined
  /** The last row of the table, or of a range. */
  last(range?: Omit<Range<K>, 'reverse' | 'limit'>): Entry<K, V> | undefined
}

/**
 * Rows in the order of their keys. Numbers are ordered by value, bytes and addresses byte by byte, false before true. The first member of a key counts
 * first.
 */
export interface Table<K extends KeySpec, V> extends ReadTable<K, V> {
  /** Adds or replaces a row. Returns whether the key is new. */
  put(key: KeyValue<K>, row: V): boolean
  /** Replaces the row with the result of a function of it, and returns the new row. The function gets undefined if there is no row. */
  update(key: KeyValue<K>, change: (row: V | undefined) => V): V
  /** Removes a row. Returns whether there was one. */
  remove(key: KeyValue<K>): boolean
}

/** Storage: rows at `place:key`; a tree of their ordered keys at `place`. */
class Rows<K extends KeySpec, V> implements Table<K, V> {
  readonly #place: string
  readonly #codec: KeyCodec
  readonly #shape: Shape<V>

  constructor(place: string, codec: KeyCodec, shape: Shape<V>) {
    this.#place = place
    this.#codec = codec
    this.#shape = shape
  }

  get size(): bigint {
    return treeSize(this.#place)
  }

  get(key: KeyValue<K>): V | undefined {
    return loadAt(this.#shape, this.#row(key))
  }

  has(key: KeyValue<K>): boolean {
    return quoin.has(this.#row(key))
  }

  put(key: KeyValue<K>, row: V): boolean {
    const place = this.#row(key)
    const isNew = !quoin.has(place)
    storeAt(this.#shape, place, row)
    if (isNew) addText(this.#place, this.#codec.order(key))
    return isNew
  }

  update(key: KeyValue<K>, change: (row: V | undefined) => V): V {
    const row = change(this.get(key))
    this.put(key, row)
    return row
  }

  remove(key: KeyValue<K>): boolean {
    const place = this.#row(key)
    if (!quoin.has(place)) return false
    quoin.remove(place)
    removeText(this.#place, this.#codec.order(key))
    return true
  }

  *range(range?: Range<K>): IterableIterator<Entry<K, V>> {
    for (const key of this.keys(range)) {
      const row = this.get(key)
      if (row !== undefined) yield [key, row]
    }
  }

  *keys({ from, to, prefix, reverse = false, limit }: Range<K> = {}): IterableIterator<KeyValue<K>> {
    const { order, key } = this.#codec
    const start = prefix === undefined ? '' : order(prefix)
    const least = from === undefined ? start : order(from)
    const end = to === undefined ? END : order(to)
    let count = 0n
    if (limit !== undefined && limit <= 0n) return
    for (const text of textsOf(this.#place, least > start ? least : start, end < start + END ? end : start + END, reverse)) {
      yield key(text) as KeyValue<K>
      if (++count === limit) return
    }
  }

  first(range?: Range<K>): Entry<K, V> | undefined {
    return this.#only({ ...range, limit: 1n })
  }

  last(range?: Range<K>): Entry<K, V> | undefined {
    return this.#only({ ...range, limit: 1n, reverse: true })
  }

  #row(key: KeyValue<K>): string {
    return this.#codec.place(`${this.#place}:`, key)
  }

  #only(range: Range<K>): Entry<K, V> | undefined {
    for (const entry of this.range(range)) return entry
    return undefined
  }
}

/**
 * Declares a table. Its rows can be iterated in the order of their keys:
 *
 *     orders: table({ key: 'uint256', row: { owner: 'address', amount: 'uint256' } })
 *     bids: table({ key: { price: 'uint128', id: 'uint64' }, row: { bidder: 'address' } })
 *     …
 *     for (const [{ id }, { bidder }] of state.bids.range({ prefix: { price }, limit: 10n })) …
 *
 * In storage, members of keys and rows are identified by their order and types, not by their names.
 */
export function table<const K extends KeySpec, const T extends Struct>(declaration: {
  readonly key: K
  readonly row: T
}): Field<Table<K, SpecValue<T>>, ReadTable<K, SpecValue<T>>> {
  const codec = keyCodec(declaration.key)
  const shape = shapeOf(declaration.row)
  return { type: `table(${codec.types.join()};${shape.type})`, open: (place) => new Rows(place, codec, shape) }
}
