import type { LogFile } from '../powers.ts'

/** A `LogFile` in memory, for tests and tools. It tracks which bytes would survive a crash. */
export class MemoryLog implements LogFile {
  #bytes: Uint8Array
  #length: number
  /** Length at the last sync, in bytes. */
  durableLength: number

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#bytes = content.slice()
    this.#length = content.length
    this.durableLength = content.length
  }

  /** All appended bytes, synced or not: a view that may be read or damaged. */
  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  async read(): Promise<Uint8Array> {
    return this.content.slice()
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      grown.set(this.content)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = length
  }

  async sync(): Promise<void> {
    this.durableLength = this.#length
  }

  async replace(content: Uint8Array): Promise<void> {
    this.#bytes = content.slice()
    this.#length = content.length
    this.durableLength = content.length
  }

  async truncate(length: number): Promise<void> {
    this.#length = length
    this.durableLength = length
  }

  async close(): Promise<void> {}
}
