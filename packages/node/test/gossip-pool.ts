import { createHash } from 'node:crypto'
import { type Crypto, err, Hash, ok, type Result, type SignedTransaction } from '@quoin/protocol'
import type { Mempool, Origin, PoolRefusal } from '../src/mempool/types.ts'

/** A fast hash instead of Keccak. */
export const fastHash: Pick<Crypto, 'keccak256'> = {
  keccak256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
}

/** A transaction of which the tests use only the bytes. */
export const transactionOf = (raw: Uint8Array): SignedTransaction =>
  ({ raw, hash: Hash(fastHash.keccak256(raw)) }) as SignedTransaction

/** Bytes that `GossipPool` treats as a transaction. The first byte decides whether it is accepted, the others make it unique. */
export function rawOf(index: number, length = 110, first = 0): Uint8Array {
  const raw = new Uint8Array(length).fill(7)
  raw[0] = first
  new DataView(raw.buffer).setUint32(1, index)
  return raw
}

/** The part of a pool that gossip uses. Verifies each transaction once and remembers it. */
export class GossipPool implements Pick<Mempool, 'add' | 'verified' | 'onAdmitted'> {
  /** Why a transaction with this first byte is refused. */
  readonly refusals = new Map<number, PoolRefusal['code']>()
  /** Hashes that are in the pool. */
  readonly pooled = new Set<Hash>()
  /** Transactions with the same nonce: adding one drops the other. */
  readonly rivals = new Map<Hash, Hash>()
  /** Number of verified signatures. */
  verifications = 0
  /** Calls of `add` that are not answered yet. */
  adding = 0
  /** Every verification waits for this promise. */
  verification: Promise<void> = Promise.resolve()
  readonly #remembered = new Map<Hash, SignedTransaction>()
  readonly #running = new Map<Hash, Promise<void>>()
  #listener: (transaction: SignedTransaction, origin: Origin) => void = () => {}

  async add(raw: Uint8Array, origin: Origin): Promise<Result<SignedTransaction, PoolRefusal>> {
    this.adding++
    const transaction = transactionOf(raw)
    await this.#verify(transaction)
    this.adding--
    if (this.pooled.has(transaction.hash)) return err({ code: 'already-known', message: '' })
    const code = this.refusals.get(raw[0]!)
    if (code !== undefined) return err({ code, message: '' })
    this.pooled.delete(this.rivals.get(transaction.hash) ?? transaction.hash)
    this.pooled.add(transaction.hash)
    this.#listener(transaction, origin)
    return ok(transaction)
  }

  verified(hash: Hash): SignedTransaction | undefined {
    return this.#remembered.get(hash)
  }

  onAdmitted(listener: (transaction: SignedTransaction, origin: Origin) => void): () => void {
    this.#listener = listener
    return () => {
      this.#listener = () => {}
    }
  }

  async #verify(transaction: SignedTransaction): Promise<void> {
    const { hash } = transaction
    if (this.#remembered.has(hash)) return
    const running = this.#running.get(hash) ?? this.verification
    if (!this.#running.has(hash)) this.verifications++
    this.#running.set(hash, running)
    await running
    this.#running.delete(hash)
    this.#remembered.set(hash, transaction)
  }
}
