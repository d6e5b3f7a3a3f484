import type { Clock } from './powers.ts'

/** 2¹⁵ slots of 4 bytes. */
const SLOT_BITS = 15

/** Length of the secret random key of a `Recall`. */
export const RECALL_KEY_BYTES = 16

/**
 * Remembers which hashes were noted, in fixed memory (128 KiB by default). Each hash has one slot, and the next hash in the same slot
 * replaces it. The slot depends on a secret key; otherwise an attacker could choose hashes that evict each other. A hash that was
 * never noted is taken for a known one with a probability of at most 2⁻³².
 */
export class Recall {
  /** Allocated with the first hash, because many instances never see one. */
  #slots: Uint32Array | undefined
  readonly #slotBits: number
  /** Odd factors, one for each word of a hash that selects the slot. */
  readonly #factors: readonly number[]

  /**
   * @param key - `RECALL_KEY_BYTES` secret random bytes.
   * @param slotBits - Binary logarithm of the number of slots, which take 4 bytes each.
   */
  constructor(key: Uint8Array, slotBits = SLOT_BITS) {
    this.#slotBits = slotBits
    if (key.length !== RECALL_KEY_BYTES)
      throw new RangeError(`the key of a Recall must have ${RECALL_KEY_BYTES} bytes, not ${key.length}`)
    this.#factors = [0, 4, 8, 12].map((at) => wordAt(key, at) | 1)
  }

  /** Notes a hash of at least 20 bytes. Returns whether it was already noted. */
  note(hash: Uint8Array): boolean {
    const slot = this.#slotOf(hash)
    const print = printOf(hash)
    this.#slots ??= new Uint32Array(2 ** this.#slotBits)
    const isKnown = this.#slots[slot] === print
    this.#slots[slot] = print
    return isKnown
  }

  /** Whether a hash was noted, and not replaced since. */
  has(hash: Uint8Array): boolean {
    return this.#slots !== undefined && this.#slots[this.#slotOf(hash)] === printOf(hash)
  }

  clear(): void {
    this.#slots = undefined
  }

  #slotOf(hash: Uint8Array): number {
    // Multilinear hashing of 128 bits. Only its high bits are well distributed.
    let sum = 0
    for (let i = 0; i < this.#factors.length; i++) sum = (sum + Math.imul(wordAt(hash, 4 * i), this.#factors[i]!)) | 0
    return sum >>> (32 - this.#slotBits)
  }
}

export interface FadingOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly key: Uint8Array
  /** A hash is remembered for this long after it was noted, and for less than twice as long. */
  readonly keptMs: number
  readonly slotBits?: number | undefined
}

/** Remembers which hashes were noted recently. */
export class FadingRecall {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #keptMs: number
  #now: Recall
  #before: Recall
  #sinceMs: number

  constructor({ clock, key, keptMs, slotBits }: FadingOptions) {
    this.#clock = clock
    this.#keptMs = keptMs
    this.#now = new Recall(key, slotBits)
    this.#before = new Recall(key, slotBits)
    this.#sinceMs = clock.monotonic()
  }

  /** Notes a hash unless it is known, and returns whether it was. A repeat does not extend its time: the hash is still forgotten. */
  noteOnce(hash: Uint8Array): boolean {
    this.#fade()
    return this.#before.has(hash) || this.#now.note(hash)
  }

  #fade(): void {
    const periods = Math.floor((this.#clock.monotonic() - this.#sinceMs) / this.#keptMs)
    if (periods === 0) return
    this.#sinceMs += periods * this.#keptMs
    const before = this.#before
    this.#before = this.#now
    this.#now = before
    this.#now.clear()
    if (periods > 1) this.#before.clear()
  }
}

/** Fingerprint of a hash. Never 0, which marks an empty slot. */
const printOf = (hash: Uint8Array): number => wordAt(hash, RECALL_KEY_BYTES) >>> 0 || 1

/** Reads 32 bits. Faster than creating a DataView for each hash. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
