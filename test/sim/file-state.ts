import type { SeededRandom } from './random.ts'

/** One append-only file: its durable bytes, and the others. */
export class FileState {
  #bytes: Uint8Array
  #length: number
  #durable: number
  /** A running replacement. */
  replacing: Uint8Array | undefined

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#bytes = content.slice()
    this.#length = content.length
    this.#durable = content.length
  }

  get length(): number {
    return this.#length
  }

  get durableLength(): number {
    return this.#durable
  }

  content(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** Content of a disk copy taken now. */
  durableContent(): Uint8Array {
    return this.#bytes.slice(0, this.#durable)
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = length
  }

  syncTo(length: number): void {
    this.#durable = Math.max(this.#durable, Math.min(length, this.#length))
  }

  truncate(length: number): void {
    this.#length = length
    this.#durable = length
  }

  finishReplace(): void {
    if (this.replacing !== undefined) this.#set(this.replacing)
    this.replacing = undefined
    this.#durable = this.#length
  }

  crash(random: SeededRandom): void {
    if (this.replacing !== undefined && random.chance(0.5)) return this.finishReplace()
    this.replacing = undefined
    const kept = random.between(this.#durable, this.#length)
    const end = random.chance(0.5) ? kept : this.#length
    // After the bytes written in order, pages may be missing (zeros) or stale.
    for (let i = kept; i < end; i++) this.#bytes[i] = random.chance(0.5) ? 0 : random.u32() & 0xff
    this.truncate(end)
  }

  /** The disk reported bytes as durable that were not. Returns how many are lost. */
  loseSynced(random: SeededRandom): number {
    const before = this.#length
    this.truncate(random.below(this.#durable + 1))
    return before - this.#length
  }

  /** Flips one bit of the durable bytes; false if there are none. */
  rot(random: SeededRandom): boolean {
    if (this.#durable === 0) return false
    this.#bytes[random.below(this.#durable)]! ^= 1 << random.below(8)
    return true
  }

  #set(content: Uint8Array): void {
    this.#bytes = content.slice()
    this.#length = content.length
  }
}
