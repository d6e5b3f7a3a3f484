import {
  type Crypto,
  decodeTransaction,
  err,
  Hash,
  ok,
  type Result,
  type SignedTransaction,
  type Transaction,
} from '@quoin/protocol'
import type { SenderRecovery } from '../crypto/recovery.ts'
import { recoverableOf } from '../crypto/signature-batch.ts'
import { POOL_LIMITS } from './limits.ts'
import type { VerifyRefusal } from './types.ts'

/**
 * Decodes transactions and recovers their senders, each only once: concurrent calls for one transaction share the work, and results are
 * remembered within limits.
 */
export class TransactionVerifier {
  readonly #crypto: Crypto
  readonly #chainId: number
  readonly #recovery: SenderRecovery
  /** Looks up a transaction in the pool, whether or not it is remembered here. */
  readonly #pooled: (hash: Hash) => SignedTransaction | undefined
  readonly #inFlight = new Map<Hash, Promise<Result<SignedTransaction, VerifyRefusal>>>()
  /** In order of insertion; the first are dropped first. */
  readonly #remembered = new Map<Hash, SignedTransaction>()
  #rememberedBytes = 0

  constructor(crypto: Crypto, chainId: number, recovery: SenderRecovery, pooled: (hash: Hash) => SignedTransaction | undefined) {
    this.#pooled = pooled
    this.#crypto = crypto
    this.#chainId = chainId
    this.#recovery = recovery
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  get(hash: Hash): SignedTransaction | undefined {
    return this.#pooled(hash) ?? this.#remembered.get(hash)
  }

  /** Drops verified transactions that are not in the pool; they are verified again when needed. */
  dropRemembered(): void {
    this.#remembered.clear()
    this.#rememberedBytes = 0
  }

  /** @param hash keccak256 of `raw`, if the caller has it. */
  async verify(raw: Uint8Array, hash = Hash(this.#crypto.keccak256(raw))): Promise<Result<SignedTransaction, VerifyRefusal>> {
    const known = this.get(hash)
    if (known !== undefined) return ok(known)
    const running = this.#inFlight.get(hash)
    if (running !== undefined) return running
    const decoded = decodeTransaction(this.#crypto, this.#chainId, raw, hash)
    if (!decoded.ok) return decoded
    const work = this.#recover(decoded.value)
    this.#inFlight.set(hash, work)
    try {
      return await work
    } finally {
      this.#inFlight.delete(hash)
    }
  }

  async #recover(transaction: Transaction): Promise<Result<SignedTransaction, VerifyRefusal>> {
    const recovered = await this.#recovery.recoverSenders([recoverableOf(this.#crypto, transaction)])
    if (!recovered.ok) return err({ code: 'unavailable', message: `sender recovery failed: ${recovered.error.message}` })
    const [sender] = recovered.value
    if (sender === undefined)
      return err({ code: 'bad-signature', message: 'no key could have made this signature (invalid sender)' })
    const signed = { ...transaction, sender }
    this.#remember(signed)
    return ok(signed)
  }

  #remember(transaction: SignedTransaction): void {
    this.#remembered.set(transaction.hash, transaction)
    this.#rememberedBytes += transaction.raw.length
    for (const [hash, { raw }] of this.#remembered) {
      if (this.#remembered.size <= POOL_LIMITS.rememberedMax && this.#rememberedBytes <= POOL_LIMITS.rememberedBytesMax) break
      this.#remembered.delete(hash)
      this.#rememberedBytes -= raw.length
    }
  }
}
