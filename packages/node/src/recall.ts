import type { Clock } from './powers.ts'

/** 2¹⁵ slots of 4 bytes. */
const SLOT_BITS = 15

/** Random bytes that a `Recall` is keyed with. */
export const RECALL_KEY_BYTES = 16

/**
 * Remembers which hashes were noted, in 128 KiB (by default) whatever comes: each has one slot, and loses it to the next hash that falls into it. Which slot
 * that is depends on a secret key, or somebody could choose hashes that make each other forgotten. A hash that was never noted is taken for a
 * known one once in 2³² at most.
 */
export class Recall {
  /** Made with the first hash: many are never noted. */
  #slots: Uint32Array | undefined
  readonly #slotBits: number
  /** Odd numbers, one for each word of a hash that chooses the slot. */
  readonly #factors: readonly number[]

  /**
   * @param key `RECALL_KEY_BYTES` that nobody else knows
   * @param slotBits it has two to the power of these slots, 4 bytes each
   */
  constructor(key: Uint8Array, slotBits = SLOT_BITS) {
    this.#slotBits = slotBits
    if (key.length !== RECALL_KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes, not ${RECALL_KEY_BYTES}`)
    this.#factors = [0, 4, 8, 12].map((at) => wordAt(key, at) | 1)
  }

  /** Notes a hash of at least 20 bytes. Says whether it was noted before. */
  note(hash: Uint8Array): boolean {
    const slot = this.#slotOf(hash)
    const print = printOf(hash)
    this.#slots ??= new Uint32Array(2 ** this.#slotBits)
    const isKnown = this.#slots[slot] === print
    this.#slots[slot] = print
    return isKnown
  }

  /** Whether it was noted. */
  has(hash: Uint8Array): boolean {
    return this.#slots !== undefined && this.#slots[this.#slotOf(hash)] === printOf(hash)
  }

  clear(): void {
    this.#slots = undefined
  }

  #slotOf(hash: Uint8Array): number {
    // Multilinear hashing of 128 bits; its high bits are the good ones.
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

/** Remembers which hashes were noted lately. */
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

  /** Notes a hash, unless it is known. Says whether it was: what is noted again and again is forgotten in time all the same. */
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

/** Zero stands for an empty slot. */
const printOf = (hash: Uint8Array): number => wordAt(hash, RECALL_KEY_BYTES) >>> 0 || 1

/** 32 bits, faster than a DataView of its own for each hash. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
