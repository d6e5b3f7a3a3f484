import type { Ticks } from '../ticks.ts'
import { pageEnd, pageStart, STORE_BYTES_MAX, WATCH_PAGE_BYTES } from './meter/watch.ts'
import { Unwind } from './outcome.ts'
import type { MemoryText } from './power.ts'
import { LAYOUT, type Meter } from './quickjs.ts'
import { VM_GAS } from './vm-gas.ts'

/** Ends the call as `trap`: guest memory is inconsistent, which only a bug of the interpreter can cause. */
export const trap = (): never => {
  throw new Unwind({ kind: 'trap' })
}

/**
 * The host's view of guest memory. A contract that exploits a memory error of the interpreter may have written anything there, so
 * the host trusts no address and no length that it reads: an access outside the memory ends the call as a `trap`, the same on
 * every node. Writes of the host are watched and charged like the guest's own stores (`meter/watch.ts`).
 */
export class GuestMemory {
  readonly #bytes: Uint8Array
  readonly #halves: Uint16Array
  readonly #words: Uint32Array
  readonly #text: MemoryText
  readonly #meter: Meter
  readonly #charge: (gas: Ticks) => void
  /** Lower bound of the heap's top. The top only rises until the next restore, and this copy is cheaper to read. */
  #topAtLeast = 0

  /** @param charge charges gas to the guest; throws when there is not enough */
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

  /** The aligned 16-bit half-word that holds an address. */
  half(at: number): number {
    return this.#halves[at >>> 1] ?? trap()
  }

  byte(at: number): number {
    return this.#bytes[at] ?? trap()
  }

  /** Copies bytes. */
  slice(from: number, length: number): Uint8Array {
    return this.#bytes.slice(from, this.#endOf(from, length))
  }

  latin1(from: number, length: number): string {
    return this.#text.latin1(from, this.#endOf(from, length))
  }

  utf16(from: number, units: number): string {
    return this.#text.utf16(from, this.#endOf(from, 2 * units))
  }

  setByte(at: number, value: number): void {
    this.grant(at, 1)
    this.#bytes[at] = value
  }

  /** Sets words from an address, which must be a multiple of 4. */
  setWords(at: number, values: readonly number[]): void {
    if (at % 4 !== 0) trap()
    this.grant(at, 4 * values.length)
    for (let i = 0; i < values.length; i++) this.#words[(at >>> 2) + i] = values[i]!
  }

  set(at: number, bytes: Uint8Array): void {
    this.grant(at, bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Sets the first few bytes one by one, which is cheaper than creating a view. */
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

  /** End of the granted memory; stores above it trap. */
  get end(): number {
    return this.#meter.pages.value * WASM_PAGE_BYTES
  }

  /** Lowest stack address that may have been written. */
  get low(): number {
    return this.#meter.low.value
  }

  get top(): number {
    return this.#meter.low.value + this.#meter.span.value + STORE_BYTES_MAX
  }

  /** Sets the range that may have been written before a call, and the end of the granted memory. */
  setEdges(low: number, top: number, end: number): void {
    this.#meter.low.value = low
    this.#meter.span.value = top - low - STORE_BYTES_MAX
    this.#meter.pages.value = end / WASM_PAGE_BYTES
    this.#topAtLeast = top
  }

  /** Extends the written range before the host writes, as the meter does before a store of the guest. Charges for new pages. */
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

/** Whether a range (by default the length of a JSValue) lies within the heap. */
export const isInHeap = (at: number, top: number, length = 8): boolean => at >= LAYOUT.heapBase && at + length <= top

const WASM_PAGE_BYTES = 65_536

const pages = (bytes: number): number => Math.ceil(bytes / WATCH_PAGE_BYTES)
