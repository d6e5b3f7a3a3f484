import { Hash, hexToBytes, ZERO_HASH } from '@quoin/protocol'

const HASH_BYTES = 32
const COUNT_BYTES = 4

/**
 * What an execution worker works for, in memory that outlives it: the hash of a transaction, or zeros between transactions, and how often that has
 * changed. So another thread sees what the worker was at when it died, and whether it is at the same thing for long.
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

  /** The work from now on is for this transaction, or for none. */
  begin(transaction: Hash | undefined): void {
    if (transaction === undefined) this.#hash.fill(0)
    else this.#hash.set(hexToBytes(transaction))
    Atomics.add(this.#count, 0, 1)
  }

  get transaction(): Hash | undefined {
    const hash = Hash(this.#hash.slice())
    return hash === ZERO_HASH ? undefined : hash
  }

  /** Another number for each turn, as long as nobody looks away for two thousand million of them. */
  get count(): number {
    return Atomics.load(this.#count, 0)
  }
}
