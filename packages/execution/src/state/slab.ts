const SLAB_BYTES = 16 * 1024

/** Small byte strings that live and die together: views into few buffers, where a buffer for each would cost more than what it holds. */
export class Slab {
  #bytes = new Uint8Array(0)
  #at = 0

  /** A copy. */
  keep(bytes: Uint8Array): Uint8Array {
    const kept = this.take(bytes.length)
    kept.set(bytes)
    return kept
  }

  /** Zeroed bytes of nobody else's. */
  take(length: number): Uint8Array {
    if (length > SLAB_BYTES / 4) return new Uint8Array(length)
    if (this.#at + length > this.#bytes.length) {
      this.#bytes = new Uint8Array(SLAB_BYTES)
      this.#at = 0
    }
    const end = this.#at + length
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}
