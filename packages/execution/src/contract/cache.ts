/** Cache for the results of a pure function of a text. When it is full, the oldest result is evicted. It only saves time. */
export class TextCache<T> {
  readonly #limit: number
  readonly #known = new Map<string, T>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get(text: string, make: (text: string) => T): T {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const made = make(text)
    this.add(text, made)
    return made
  }

  find(text: string): T | undefined {
    return this.#known.get(text)
  }

  add(text: string, value: T): void {
    if (this.#known.size === this.#limit) {
      const { value: oldest } = this.#known.keys().next()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    this.#known.set(text, value)
  }
}
