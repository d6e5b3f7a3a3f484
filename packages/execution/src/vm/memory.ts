import type { Ticks } from '../ticks.ts'
import { pageEnd, pageStart, STORE_BYTES_MAX, WATCH_PAGE_BYTES } from './meter/watch.ts'
import { Unwind } from './outcome.ts'
import type { MemoryText } from './power.ts'
import { LAYOUT, type Meter } from './quickjs.ts'
import { VM_GAS } from './vm-gas.ts'

/** Ends the call with the result `trap`: what the guest's memory says is nonsense, and only a bug of the interpreter can have written it. */
export const trap = (): never => {
  throw new Unwind({ kind: 'trap' })
}

/**
 * The host's view of a guest's memory. A contract that found a memory error of the interpreter may have written anything there, so the host
 * believes no address and no length that it reads: an access outside of the memory ends the call as a `trap`, the same on every node. What
 * the host writes is watched and paid for as the guest's own stores are (`meter/watch.ts`).
 */
export class GuestMemory {
  readonly #bytes: Uint8Array
  readonly #halves: Uint16Array
  readonly #words: Uint32Array
  readonly #text: MemoryText
  readonly #meter: Meter
  readonly #charge: (gas: Ticks) => void
  /** A top that the heap had: it only rises until the next restore, and a look at it costs more than this. */
  #topAtLeast = 0

  /** `charge` takes gas from the guest, and does not return when there is not enough. */
  constructor(buffer: ArrayBuffer, text: MemoryText, meter: Meter, charge: (gas: Ticks) => void) {
    this.#bytes = new Uint8Array(buffer)
    this.#halves = new Uint16Array(buffer)
    this.#words = new Uint32Array(buffer)
    this.#text = text
    this.#meter = meter
    this.#charge = charge
  }

  /** The aligned word that holds an address. */
  word(at: number): number {
    return this.#words[at >>> 2] ?? trap()
  }

  /** The aligned half of a word that holds an address. */
  half(at: number): number {
    return this.#halves[at >>> 1] ?? trap()
  }

  byte(at: number): number {
    return this.#bytes[at] ?? trap()
  }

  /** A copy. */
  slice(from: number, length: number): Uint8Array {
    return this.#bytes.slice(from, this.#endOf(from, length))
  }

  latin1(from: number, length: number): string {
    return this.#text.latin1(from, this.#endOf(from, length))
  }

  /** Text of so many UTF-16 units. */
  utf16(from: number, units: number): string {
    return this.#text.utf16(from, this.#endOf(from, 2 * units))
  }

  setByte(at: number, value: number): void {
    this.grant(at, 1)
    this.#bytes[at] = value
  }

  /** Sets words from an address on, which is a multiple of 4. */
  setWords(at: number, values: readonly number[]): void {
    if (at % 4 !== 0) trap()
    this.grant(at, 4 * values.length)
    for (let i = 0; i < values.length; i++) this.#words[(at >>> 2) + i] = values[i]!
  }

  set(at: number, bytes: Uint8Array): void {
    this.grant(at, bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Sets the first of few bytes, one by one: a view of them would cost more. */
  setFirst(at: number, bytes: Uint8Array, length: number): void {
    this.grant(at, length)
    for (let i = 0; i < length; i++) this.#bytes[at + i] = bytes[i]!
  }

  setLatin1(at: number, text: string): void {
    this.grant(at, text.length)
    this.#text.putLatin1(text, at)
  }

  setUtf16(at: number, text: string): void {
    this.grant(at, 2 * text.length)
    this.#text.putUtf16(text, at)
  }

  /** End of the memory that is granted: where stores trap. */
  get end(): number {
    return this.#meter.pages.value * WASM_PAGE_BYTES
  }

  /** Where the stack begins that may have been written. */
  get low(): number {
    return this.#meter.low.value
  }

  /** End of the heap that may have been written. */
  get top(): number {
    return this.#meter.low.value + this.#meter.span.value + STORE_BYTES_MAX
  }

  /** Says what may have been written before a call, and how much memory there is for it. */
  setEdges(low: number, top: number, end: number): void {
    this.#meter.low.value = low
    this.#meter.span.value = top - low - STORE_BYTES_MAX
    this.#meter.pages.value = end / WASM_PAGE_BYTES
    this.#topAtLeast = top
  }

  /** Moves the edges for a range that is about to be written, as the meter does before a store of the guest's. */
  grant(at: number, length: number): void {
    const end = at + length
    if (at >= LAYOUT.heapBase && end <= this.#topAtLeast) return
    const { low, top } = this
    if (at >= low && end <= top) return
    if (at < LAYOUT.constantsEnd || !(end <= this.end)) trap()
    const newLow = end > LAYOUT.dataEnd && at < low ? pageStart(Math.max(at, LAYOUT.dataEnd)) : low
    const newTop = end > top ? pageEnd(end) : top
    this.#charge(VM_GAS.page * (pages(low - newLow) + pages(newTop - top)))
    this.setEdges(newLow, newTop, this.end)
  }

  #endOf(from: number, length: number): number {
    const end = from + length
    return from >= 0 && end <= this.#bytes.length ? end : trap()
  }
}

/** Whether bytes, by default those of a JSValue, lie in the heap below its end. */
export const isInHeap = (at: number, top: number, length = 8): boolean => at >= LAYOUT.heapBase && at + length <= top

const WASM_PAGE_BYTES = 65_536

const pages = (bytes: number): number => Math.ceil(bytes / WATCH_PAGE_BYTES)
