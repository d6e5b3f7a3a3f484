import type { LogFile } from '../powers.ts'

/** A `LogFile` in memory, for tests and tools. Knows which of its bytes a crash would keep. */
export class MemoryLog implements LogFile {
  content: Uint8Array
  /** Bytes that were there at the last sync. */
  durableLength: number

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.content = content.slice()
    this.durableLength = content.length
  }

  async read(): Promise<Uint8Array> {
    return this.content.slice()
  }

  append(bytes: Uint8Array): void {
    const grown = new Uint8Array(this.content.length + bytes.length)
    grown.set(this.content)
    grown.set(bytes, this.content.length)
    this.content = grown
  }

  async sync(): Promise<void> {
    this.durableLength = this.content.length
  }

  async replace(content: Uint8Array): Promise<void> {
    this.content = content.slice()
    this.durableLength = content.length
  }

  async truncate(length: number): Promise<void> {
    this.content = this.content.slice(0, length)
    this.durableLength = length
  }

  async close(): Promise<void> {}
}
