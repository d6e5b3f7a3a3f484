const SET = 1

/** A flag in memory that two threads share: one cancels the call that the other runs. */
export class CancelFlag {
  readonly buffer: SharedArrayBuffer
  readonly #cell: Int32Array

  constructor(buffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer
    this.#cell = new Int32Array(buffer)
  }

  get isSet(): boolean {
    return Atomics.load(this.#cell, 0) === SET
  }

  set(): void {
    Atomics.store(this.#cell, 0, SET)
  }

  clear(): void {
    Atomics.store(this.#cell, 0, 0)
  }
}
