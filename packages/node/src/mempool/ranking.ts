/** An item that can be ranked. */
export interface Ranked {
  /** Index in the ranking, written by the ranking; -1 if the item is in none. */
  place: number
}

/** A priority queue of items whose order changes: a binary heap that stores each item's index. An item is in at most one ranking. */
export class Ranking<T extends Ranked> {
  readonly #items: T[] = []
  readonly #isBefore: (a: T, b: T) => boolean

  /** @param isBefore a strict order in which no two items are equal */
  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore
  }

  /** The first item other than `other`. */
  firstBut(other: T | undefined): T | undefined {
    const [first, left, right] = this.#items
    if (first !== other || first === undefined) return first
    return left !== undefined && right !== undefined && this.#isBefore(right, left) ? right : left
  }

  /** Inserts an item, or restores the order after an item changed. */
  update(item: T): void {
    if (item.place < 0) {
      item.place = this.#items.length
      this.#items.push(item)
    }
    this.#sink(this.#rise(item.place))
  }

  delete(item: T): void {
    const { place } = item
    if (place < 0) return
    const last = this.#items.pop()!
    item.place = -1
    if (last === item) return
    this.#put(last, place)
    this.#sink(this.#rise(place))
  }

  #put(item: T, place: number): void {
    this.#items[place] = item
    item.place = place
  }

  #rise(from: number): number {
    const item = this.#items[from]!
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isBefore(item, this.#items[above]!)) break
      this.#put(this.#items[above]!, at)
      at = above
    }
    this.#put(item, at)
    return at
  }

  #sink(from: number): void {
    const items = this.#items
    const item = items[from]!
    let at = from
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      if (below + 1 < items.length && this.#isBefore(items[below + 1]!, items[below]!)) below++
      if (!this.#isBefore(items[below]!, item)) break
      this.#put(items[below]!, at)
      at = below
    }
    this.#put(item, at)
  }
}
