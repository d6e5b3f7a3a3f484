/** Slots of 4 bytes: a power of two. */
const SLOTS = 2 ** 15
const SLOT_BITS = 15

/** Random bytes that a `Recall` is keyed with. */
export const RECALL_KEY_BYTES = 16

/**
 * Remembers which hashes were noted, in 128 KiB whatever comes: each has one slot, and loses it to the next hash that falls into it. Which slot
 * that is depends on a secret key, or somebody could choose hashes that make each other forgotten. A hash that was never noted is taken for a
 * known one once in 2³² at most.
 */
export class Recall {
  readonly #slots = new Uint32Array(SLOTS)
  /** Odd numbers, one for each word of a hash that chooses the slot. */
  readonly #factors: readonly number[]

  /** @param key `RECALL_KEY_BYTES` that nobody else knows */
  constructor(key: Uint8Array) {
    if (key.length !== RECALL_KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes, not ${RECALL_KEY_BYTES}`)
    this.#factors = [0, 4, 8, 12].map((at) => wordAt(key, at) | 1)
  }

  /** Notes a hash of at least 20 bytes. Says whether it was noted before. */
  note(hash: Uint8Array): boolean {
    // Multilinear hashing of 128 bits; its high bits are the good ones.
    let sum = 0
    for (let i = 0; i < this.#factors.length; i++) sum = (sum + Math.imul(wordAt(hash, 4 * i), this.#factors[i]!)) | 0
    const slot = sum >>> (32 - SLOT_BITS)
    // Zero stands for an empty slot.
    const print = wordAt(hash, RECALL_KEY_BYTES) >>> 0 || 1
    const isKnown = this.#slots[slot] === print
    this.#slots[slot] = print
    return isKnown
  }
}

/** 32 bits, faster than a DataView of its own for each hash. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
