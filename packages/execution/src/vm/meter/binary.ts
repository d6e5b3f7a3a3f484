/** Reads and writes the bytes of a WebAssembly binary, as section 5 of the core specification (2.0) defines them. */

/** The binary is malformed or uses a feature that the meter does not support. A bug or a wrong file, never input from outside. */
export class MeterError extends Error {
  override readonly name = 'MeterError'
}

/** Cursor over a part of a binary. */
export class WasmReader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  u8(): number {
    if (this.at >= this.end) throw new MeterError(`the binary ends early, at byte ${this.at}`)
    return this.bytes[this.at++]!
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new MeterError(`a number is too long, at byte ${this.at}`)
  }

  /** Skips a LEB128 of any length and sign. */
  skipLeb(): void {
    while (this.u8() >= 0x80);
  }

  skip(length: number): void {
    if (length > this.end - this.at) throw new MeterError(`the binary ends early, at byte ${this.at}`)
    this.at += length
  }

  take(length: number): Uint8Array {
    const from = this.at
    this.skip(length)
    return this.bytes.subarray(from, this.at)
  }

  /** A name in plain ASCII; this binary has no others. */
  name(): string {
    return String.fromCharCode(...this.take(this.u32()))
  }

  /** Items of a vector. */
  vector<T>(read: (reader: WasmReader) => T): T[] {
    const items: T[] = []
    for (let left = this.u32(); left > 0; left--) items.push(read(this))
    return items
  }
}

/** Growable buffer for a binary. */
export class WasmWriter {
  #bytes = new Uint8Array(256)
  #length = 0

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#length + length, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  bytes(bytes: Uint8Array | readonly number[]): this {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  u8(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u32(value: number): this {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.u8((rest % 128) | 0x80)
    return this.u8(rest)
  }

  /** Signed LEB128 of a number of at most 53 bits. */
  signed(value: number): this {
    let rest = value
    for (; rest < -64 || rest > 63; rest = Math.floor(rest / 128)) this.u8((((rest % 128) + 128) % 128) | 0x80)
    return this.u8(rest & 0x7f)
  }

  name(text: string): this {
    return this.sized(Uint8Array.from(text, (character) => character.charCodeAt(0)))
  }

  /** Bytes with their length in front. */
  sized(bytes: Uint8Array): this {
    return this.u32(bytes.length).bytes(bytes)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}
