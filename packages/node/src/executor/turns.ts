import { Hash, hexToBytes, ZERO_HASH } from '@quoin/protocol'

const HASH_BYTES = 32
const COUNT_BYTES = 4

/**
 * The current work of an execution worker, in shared memory that outlives it: the hash of the running transaction (zeros if there is none),
 * and a counter of changes. Another thread sees from it what the worker ran when it died, and whether it has been at the same
 * transaction for long.
 */
export class Turns {
  readonly buffer: SharedArrayBuffer
  readonly #hash: Uint8Array
  readonly #count: Int32Array

  constructor(buffer = new SharedArrayBuffer(HASH_BYTES + COUNT_BYTES)) {
    this.buffer = buffer
    this.#hash = new Uint8Array(buffer, 0, HASH_BYTES)
    this.#count = new Int32Array(buffer, HASH_BYTES, 1)
  }

  /** Sets the running transaction, or none. */
  begin(transaction: Hash | undefined): void {
    if (transaction === undefined) this.#hash.fill(0)
    else this.#hash.set(hexToBytes(transaction))
    Atomics.add(this.#count, 0, 1)
  }

  get transaction(): Hash | undefined {
    const hash = Hash(this.#hash.slice())
    return hash === ZERO_HASH ? undefined : hash
  }

  /** Changes with every turn. Wraps around after 2^32 turns. */
  get count(): number {
    return Atomics.load(this.#count, 0)
  }
}
