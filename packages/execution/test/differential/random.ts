/** Random draws for tests: the same seed gives the same draws on every platform. SplitMix32. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 32 random bits. */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }

  /** 0 to `bound - 1`. */
  below(bound: number): number {
    return Math.floor((this.bits() / 2 ** 32) * bound)
  }

  /** From `first` to `last`, both included. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1)
  }

  /** Once in `often` draws. */
  oneIn(often: number): boolean {
    return this.below(often) === 0
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** This many draws, joined. */
  list(first: number, last: number, draw: () => string, separator = ', '): string {
    return Array.from({ length: this.between(first, last) }, draw).join(separator)
  }
}
