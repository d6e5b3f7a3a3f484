import { Address, type Crypto, signingHash, type Transaction } from '@quoin/protocol'

/** The input of sender recovery. */
export interface RecoverableSignature extends Pick<Transaction, 'signature' | 'yParity'> {
  /** The digest that was signed (`signingHash`), 32 bytes. */
  readonly signingHash: Uint8Array
}

/** The input of sender recovery for a transaction. */
export const recoverableOf = (crypto: Crypto, transaction: Transaction): RecoverableSignature => ({
  signingHash: signingHash(crypto, transaction),
  signature: transaction.signature,
  yParity: transaction.yParity,
})

/** Digest (32) ‖ r ‖ s (64) ‖ y parity (1). */
const ENTRY_BYTES = 97
/** 1 (1) ‖ address (20), or zeros if the signature is invalid. */
const SENDER_BYTES = 21

/** Throws RangeError for wrong sizes, so that one bad item cannot corrupt a batch with others. */
export function checkSignature({ signingHash, signature, yParity }: RecoverableSignature): void {
  if (signingHash.length !== 32 || signature.length !== 64 || (yParity !== 0 && yParity !== 1)) {
    throw new RangeError(
      `not a signature: digest of ${signingHash.length}, r and s of ${signature.length} bytes, y parity ${yParity}`,
    )
  }
}

/** Packs items into a new buffer that can be transferred to another thread. */
export function packSignatures(items: readonly RecoverableSignature[]): Uint8Array<ArrayBuffer> {
  const batch = new Uint8Array(ENTRY_BYTES * items.length)
  items.forEach(({ signingHash, signature, yParity }, i) => {
    batch.set(signingHash, ENTRY_BYTES * i)
    batch.set(signature, ENTRY_BYTES * i + 32)
    batch[ENTRY_BYTES * i + 96] = yParity
  })
  return batch
}

/**
 * Recovers every sender of a batch and writes the senders to the front of the same buffer. Sender i ends before entry i + 1 begins, so no
 * entry is overwritten before it is read, and one buffer serves both directions.
 */
export function recoverBatch(crypto: Crypto, batch: Uint8Array): void {
  const count = batch.length / ENTRY_BYTES
  for (let i = 0; i < count; i++) {
    const at = ENTRY_BYTES * i
    const yParity = batch[at + 96] === 1 ? 1 : 0
    const key = crypto.recover(batch.subarray(at, at + 32), batch.subarray(at + 32, at + 96), yParity)
    const end = SENDER_BYTES * (i + 1)
    batch.fill(0, end - SENDER_BYTES, end)
    if (key === undefined) continue
    batch[end - SENDER_BYTES] = 1
    batch.set(crypto.keccak256(key).subarray(12), end - SENDER_BYTES + 1)
  }
}

/** Sender i of a batch after `recoverBatch`; undefined if the signature is invalid. */
export function senderAt(batch: Uint8Array, i: number): Address | undefined {
  const at = SENDER_BYTES * i
  return batch[at] === 1 ? Address(batch.subarray(at + 1, at + SENDER_BYTES)) : undefined
}
