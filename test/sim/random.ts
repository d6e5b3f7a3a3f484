import type { Random } from '../../packages/node/src/powers.ts'

/** A seeded random number generator (sfc32): the only source of randomness in a simulation. */
export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = 0x9e37_79b9 ^ seed
    this.#b = 0x243f_6a88
    this.#c = Math.floor(seed / 2 ** 32) | 0
    for (let i = 0; i < 16; i++) this.u32()
  }

  u32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }

  /** From 0 to `end` - 1. */
  below(end: number): number {
    return this.u32() % end
  }

  /** Both ends included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  chance(probability: number): boolean {
    return this.u32() < probability * 2 ** 32
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.u32() & 0xff)
  }

  /** An independent generator: numbers drawn from it do not shift the sequence here. */
  fork(): SeededRandom {
    return new SeededRandom(this.u32())
  }
}
