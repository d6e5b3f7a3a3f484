import type { Hash } from '@quoin/protocol'
import { MESSAGE_LIMITS } from './message-limits.ts'

/**
 * The codes whose load a block has paid for: those that it used last, as long as their images together have at most
 * `loadedBytesMax`. Another code pays for its load again.
 *
 * It decides gas, so it depends on the messages of the block only. Each of its codes is in every node's program cache, which is
 * twice as large and drops what was used longest ago. Without the limit a block could use more codes in turn than the cache holds,
 * and each use would load one that nothing pays for.
 */
export class LoadedCodes {
  readonly #bytesMax: number
  /** Bytes of each code's image, least recently used first. */
  readonly #codes = new Map<Hash, number>()
  #bytes = 0

  constructor(bytesMax: number = MESSAGE_LIMITS.loadedBytesMax) {
    this.#bytesMax = bytesMax
  }

  has(codeHash: Hash): boolean {
    return this.#codes.has(codeHash)
  }

  /**
   * Records a use of a code.
   *
   * @param bytes size of its image (`imageBytes`)
   * @returns whether it had to be loaded for it
   */
  use(codeHash: Hash, bytes: number): boolean {
    const wasLoaded = this.#codes.delete(codeHash)
    this.#codes.set(codeHash, bytes)
    if (wasLoaded) return false
    this.#bytes += bytes
    for (const [oldest, oldestBytes] of this.#codes) {
      if (this.#bytes <= this.#bytesMax) break
      this.#codes.delete(oldest)
      this.#bytes -= oldestBytes
    }
    return true
  }
}
