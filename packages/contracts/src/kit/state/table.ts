import type { Guest } from '../guest.ts'
import type { SpecValue, Struct, WordType } from '../value-types.ts'
import type { Field } from './field.ts'
import { type Shape, shapeOf } from './spec.ts'
import { type KeyBound, type KeyCodec, type KeySpec, type KeyValue, keyCodec } from './table-key.ts'
import { addText, END, removeText, textsOf, treeSize } from './table-tree.ts'
import { loadAt, storeAt } from './value.ts'

declare const quoin: Guest

/**
 * Which rows, in the order of their keys; all of them if nothing is said. Of keys with several members, `from`, `to` and `prefix` may have the
 * first ones only.
 */
export interface Range<K extends KeySpec> {
  /** The first key, or the beginning of keys of which all are wanted. */
  readonly from?: KeyBound<K> | undefined
  /** Keys are less: neither this key nor one that begins so. */
  readonly to?: KeyBound<K> | undefined
  /** What keys begin with. */
  readonly prefix?: (K extends WordType ? never : KeyBound<K>) | undefined
  /** From the last to the first. */
  readonly reverse?: boolean | undefined
  /** Rows at most. */
  readonly limit?: bigint | undefined
}

type Entry<K extends KeySpec, V> = readonly [key: KeyValue<K>, row: V]

/** Rows in the order of their keys, as a `view` function sees them. */
export interface ReadTable<K extends KeySpec, V> {
  /** Number of rows. */
  readonly size: bigint
  /** The row; undefined when there is none. Reads nothing else. */
  get(key: KeyValue<K>): V | undefined
  /** Whether there is a row. */
  has(key: KeyValue<K>): boolean
  /**
   * Keys and rows, each read when the loop comes to it; to be gone through once. The loop may change the table: each step goes to the key that
   * is next at that moment. So rows that were removed before it came to them are not seen, and rows that were added ahead of it are. (What a
   * re-entrant call of the same contract adds meanwhile may be passed over.)
   */
  range(range?: Range<K>): IterableIterator<Entry<K, V>>
  /** The same for keys alone, without reading rows. */
  keys(range?: Range<K>): IterableIterator<KeyValue<K>>
  /** First of the rows, or of those of a range. */
  first(range?: Omit<Range<K>, 'reverse' | 'limit'>): Entry<K, V> | undefined
  /** Last of the rows, or of those of a range. */
  last(range?: Omit<Range<K>, 'reverse' | 'limit'>): Entry<K, V> | undefined
}

/** Rows in the order of their keys: numbers by size, bytes and addresses byte by byte, false before true, the first member first. */
export interface Table<K extends KeySpec, V> extends ReadTable<K, V> {
  /** Adds the row, or replaces it; answers whether there was none. */
  put(key: KeyValue<K>, row: V): boolean
  /** Puts what a function makes of the row, undefined where there is none; answers with it. */
  update(key: KeyValue<K>, change: (row: V | undefined) => V): V
  /** Whether there was one. */
  remove(key: KeyValue<K>): boolean
}

/** Rows at `place:key`; their keys in order in a tree at `place`. */
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
 * Declares a table, whose rows can be gone through in the order of their keys:
 *
 *     orders: table({ key: 'uint256', row: { owner: 'address', amount: 'uint256' } })
 *     bids: table({ key: { price: 'uint128', id: 'uint64' }, row: { bidder: 'address' } })
 *     …
 *     for (const [{ id }, { bidder }] of state.bids.range({ prefix: { price }, limit: 10n })) …
 *
 * Members of key and row are known to storage by their order and types, not by their names.
 */
export function table<const K extends KeySpec, const T extends Struct>(declaration: {
  readonly key: K
  readonly row: T
}): Field<Table<K, SpecValue<T>>, ReadTable<K, SpecValue<T>>> {
  const codec = keyCodec(declaration.key)
  const shape = shapeOf(declaration.row)
  return { type: `table(${codec.types.join()};${shape.type})`, open: (place) => new Rows(place, codec, shape) }
}
