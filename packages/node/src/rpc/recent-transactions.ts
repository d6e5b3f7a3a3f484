import type { Hash } from '@quoin/protocol'

/** Hashes of the transactions that the pool admitted lately, numbered, so that any number of readers share them. */
export class RecentTransactions {
  readonly #countMax: number
  readonly #hashes: Hash[] = []
  #next = 0

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  /** Number of the one that comes next. */
  get next(): number {
    return this.#next
  }

  add(hash: Hash): void {
    this.#hashes[this.#next % this.#countMax] = hash
    this.#next++
  }

  /** Those from a number on, oldest first, as far as they are remembered. */
  since(number: number): readonly Hash[] {
    const hashes: Hash[] = []
    for (let n = Math.max(number, this.#next - this.#countMax); n < this.#next; n++)
      hashes.push(this.#hashes[n % this.#countMax]!)
    return hashes
  }
}
