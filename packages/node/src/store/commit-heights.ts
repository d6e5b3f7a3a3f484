/**
 * The height of the block whose state is on disk, or is being written, in memory that threads share. A thread that read a value of the flat
 * state before a block began to be written knows by it that the value is that of the block before.
 */
export class CommitHeights {
  readonly buffer: SharedArrayBuffer
  readonly #begun: BigInt64Array

  constructor(buffer = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer
    this.#begun = new BigInt64Array(buffer)
  }

  /** The block of this height is about to be written. */
  begin(height: number): void {
    Atomics.store(this.#begun, 0, BigInt(height))
  }

  /** Height of the last block that is on disk in part or whole. */
  get begun(): number {
    return Number(Atomics.load(this.#begun, 0))
  }
}
