const SLAB_BYTES = 16 * 1024

/**
 * Allocates small byte strings with the same lifetime as views into a few buffers. A buffer per string would cost more than its
 * contents.
 */
export class Slab {
  #bytes = new Uint8Array(0)
  #at = 0

  /** Copies bytes into the slab. */
  keep(bytes: Uint8Array): Uint8Array {
    const kept = this.take(bytes.length)
    kept.set(bytes)
    return kept
  }

  /** Allocates zeroed bytes. */
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
