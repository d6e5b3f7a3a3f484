/**
 * The height of the block whose state is on disk or being written, in memory shared by threads. It tells a thread that read a value of the
 * flat state before a block's write began that the value belongs to the block before.
 */
export class CommitHeights {
  readonly buffer: SharedArrayBuffer
  readonly #begun: BigInt64Array

  constructor(buffer = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer
    this.#begun = new BigInt64Array(buffer)
  }

  /** Call this before the block of this height is written. */
  begin(height: number): void {
    Atomics.store(this.#begun, 0, BigInt(height))
  }

  /** Height of the last block that is on disk partly or completely. */
  get begun(): number {
    return Number(Atomics.load(this.#begun, 0))
  }
}
