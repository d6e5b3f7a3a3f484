/** A binary heap of numbers; reading the first one is cheap. */
export class Heap {
  readonly #items: Int32Array
  #size = 0
  readonly #isBefore: (a: number, b: number) => boolean

  /**
   * @param capacity maximum number of items; each is from 0 to below 2^31
   * @param isBefore a strict order; it may change for items only if `firstChanged` or `orderAnew` is called
   */
  constructor(capacity: number, isBefore: (a: number, b: number) => boolean) {
    this.#items = new Int32Array(capacity)
    this.#isBefore = isBefore
  }

  get first(): number | undefined {
    return this.#size > 0 ? this.#items[0] : undefined
  }

  add(item: number): void {
    const items = this.#items
    let at = this.#size++
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isBefore(item, items[above]!)) break
      items[at] = items[above]!
      at = above
    }
    items[at] = item
  }

  removeFirst(): void {
    if (this.#size === 0) return
    this.#items[0] = this.#items[--this.#size]!
    this.#sink(0)
  }

  /** The order of the first item has changed. */
  firstChanged(): void {
    this.#sink(0)
  }

  /** The order of all items may have changed. */
  orderAnew(): void {
    for (let at = (this.#size >> 1) - 1; at >= 0; at--) this.#sink(at)
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.#items.subarray(0, this.#size).values()
  }

  #sink(from: number): void {
    const items = this.#items
    if (from >= this.#size) return
    const item = items[from]!
    let at = from
    for (;;) {
      let below = 2 * at + 1
      if (below >= this.#size) break
      if (below + 1 < this.#size && this.#isBefore(items[below + 1]!, items[below]!)) below++
      if (!this.#isBefore(items[below]!, item)) break
      items[at] = items[below]!
      at = below
    }
    items[at] = item
  }
}
