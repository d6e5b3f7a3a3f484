import { Address, hexToBytes } from '@quoin/protocol'
import type { Candidate, CandidateQueue, ExecutableTransaction } from './executor.ts'
import type { KvOp } from './state/kv.ts'

/**
 * Packs lists of byte strings into one buffer, which is transferred between threads without a copy. This is not a consensus
 * format: both ends are the same build.
 *
 *   ops:          count(4), then each: key length(4) ‖ value length(4), ffffffff = deleted ‖ key ‖ value
 *   transactions: count(4), then each: sender(20) ‖ length(4) ‖ raw
 *   queues:       count(4), then each: use(8) ‖ candidates: count(4), then each: gas limit(8) ‖ sender(20) ‖ length(4) ‖ raw
 */
const DELETED = 0xffff_ffff
const OP_HEAD_BYTES = 8
const TRANSACTION_HEAD_BYTES = 24
const QUEUE_HEAD_BYTES = 12
const GAS_BYTES = 8

/** Packs into a new buffer, so that it can be transferred. */
export function packOps(ops: readonly KvOp[]): Uint8Array<ArrayBuffer> {
  let length = 4
  for (const { key, value } of ops) length += OP_HEAD_BYTES + key.length + (value?.length ?? 0)
  const packed = new Uint8Array(length)
  const view = new DataView(packed.buffer)
  view.setUint32(0, ops.length)
  let at = 4
  for (const { key, value } of ops) {
    view.setUint32(at, key.length)
    view.setUint32(at + 4, value?.length ?? DELETED)
    at += OP_HEAD_BYTES
    packed.set(key, at)
    at += key.length
    if (value === undefined) continue
    packed.set(value, at)
    at += value.length
  }
  return packed
}

/**
 * Unpacks ops as views into `packed`.
 *
 * @throws RangeError for bytes that `packOps` does not produce
 */
export function unpackOps(packed: Uint8Array): readonly KvOp[] {
  const cursor = new Cursor(packed)
  const ops = Array.from({ length: cursor.count(OP_HEAD_BYTES) }, (): KvOp => {
    const keyLength = cursor.u32()
    const valueLength = cursor.u32()
    const key = cursor.take(keyLength)
    return { key, value: valueLength === DELETED ? undefined : cursor.take(valueLength) }
  })
  cursor.finish()
  return ops
}

/** Packs transactions into a new buffer, so that it can be transferred. */
export function packTransactions(transactions: readonly ExecutableTransaction[]): Uint8Array<ArrayBuffer> {
  let length = 4
  for (const { raw } of transactions) length += TRANSACTION_HEAD_BYTES + raw.length
  const packed = new Uint8Array(length)
  const view = new DataView(packed.buffer)
  view.setUint32(0, transactions.length)
  let at = 4
  for (const transaction of transactions) at = writeTransaction(packed, view, at, transaction)
  return packed
}

/** Returns the position after the transaction. */
function writeTransaction(packed: Uint8Array, view: DataView, at: number, { raw, sender }: ExecutableTransaction): number {
  packed.set(hexToBytes(sender), at)
  view.setUint32(at + 20, raw.length)
  packed.set(raw, at + TRANSACTION_HEAD_BYTES)
  return at + TRANSACTION_HEAD_BYTES + raw.length
}

function writeGas(view: DataView, at: number, gas: number): void {
  view.setUint32(at, gas / 2 ** 32)
  view.setUint32(at + 4, gas)
}

/** Packs queues. Gas must be a whole number below 2^53. */
export function packQueues(queues: readonly CandidateQueue[]): Uint8Array<ArrayBuffer> {
  let length = 4
  for (const { candidates } of queues) {
    length += QUEUE_HEAD_BYTES
    for (const { raw } of candidates) length += GAS_BYTES + TRANSACTION_HEAD_BYTES + raw.length
  }
  const packed = new Uint8Array(length)
  const view = new DataView(packed.buffer)
  view.setUint32(0, queues.length)
  let at = 4
  for (const { use, candidates } of queues) {
    writeGas(view, at, use)
    view.setUint32(at + 8, candidates.length)
    at += QUEUE_HEAD_BYTES
    for (const candidate of candidates) {
      writeGas(view, at, candidate.gasLimit)
      at = writeTransaction(packed, view, at + GAS_BYTES, candidate)
    }
  }
  return packed
}

/** As `unpackOps`. */
export function unpackQueues(packed: Uint8Array): readonly CandidateQueue[] {
  const cursor = new Cursor(packed)
  const queues = Array.from({ length: cursor.count(QUEUE_HEAD_BYTES) }, (): CandidateQueue => {
    const use = cursor.gas()
    const count = cursor.count(GAS_BYTES + TRANSACTION_HEAD_BYTES)
    const candidates = Array.from({ length: count }, (): Candidate => ({ gasLimit: cursor.gas(), ...cursor.transaction() }))
    return { use, candidates }
  })
  cursor.finish()
  return queues
}

/** As `unpackOps`. */
export function unpackTransactions(packed: Uint8Array): readonly ExecutableTransaction[] {
  const cursor = new Cursor(packed)
  const transactions = Array.from({ length: cursor.count(TRANSACTION_HEAD_BYTES) }, () => cursor.transaction())
  cursor.finish()
  return transactions
}

class Cursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u32(): number {
    this.#at += 4
    return this.#view.getUint32(this.#at - 4)
  }

  gas(): number {
    const gas = this.u32() * 2 ** 32 + this.u32()
    if (!Number.isSafeInteger(gas)) throw new RangeError('gas is out of range')
    return gas
  }

  transaction(): ExecutableTransaction {
    const sender = Address(this.take(20))
    return { sender, raw: this.take(this.u32()) }
  }

  /** Reads a count of items that each take at least this many bytes. */
  count(itemBytes: number): number {
    const count = this.u32()
    if (count * itemBytes > this.#bytes.length) throw new RangeError('packed list is cut short')
    return count
  }

  take(length: number): Uint8Array {
    this.#at += length
    if (this.#at > this.#bytes.length) throw new RangeError('packed list is cut short')
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  finish(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError('bytes follow a packed list')
  }
}
