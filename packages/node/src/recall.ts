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
  readonly #key: DataView

  /** @param key `RECALL_KEY_BYTES` that nobody else knows */
  constructor(key: Uint8Array) {
    if (key.length !== RECALL_KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes, not ${RECALL_KEY_BYTES}`)
    this.#key = new DataView(key.buffer, key.byteOffset, key.byteLength)
  }

  /** Notes a hash of at least 20 bytes. Says whether it was noted before. */
  note(hash: Uint8Array): boolean {
    const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength)
    // Multilinear hashing of 128 bits; its high bits are the good ones.
    let sum = 0
    for (let at = 0; at < RECALL_KEY_BYTES; at += 4) sum = (sum + Math.imul(view.getUint32(at), this.#key.getUint32(at) | 1)) | 0
    const slot = sum >>> (32 - SLOT_BITS)
    // Zero stands for an empty slot.
    const print = view.getUint32(RECALL_KEY_BYTES) || 1
    const isKnown = this.#slots[slot] === print
    this.#slots[slot] = print
    return isKnown
  }
}
