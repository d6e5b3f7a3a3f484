/** A set that evicts its oldest members when it is full. */
export class BoundedSet {
  readonly #members = new Set<string>()
  readonly #countMax: number

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  has(member: string): boolean {
    return this.#members.has(member)
  }

  add(member: string): void {
    this.#members.add(member)
    if (this.#members.size <= this.#countMax) return
    const { value: oldest } = this.#members.values().next()
    if (oldest !== undefined) this.#members.delete(oldest)
  }

  clear(): void {
    this.#members.clear()
  }
}
