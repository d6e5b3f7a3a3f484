import { Address, type Crypto, type Transaction } from '@quoin/protocol'

/** What a sender is recovered from: a decoded transaction is one. */
export type RecoverableSignature = Pick<Transaction, 'signingHash' | 'signature' | 'yParity'>

/** Digest (32) ‖ r ‖ s (64) ‖ y parity (1). */
const ENTRY_BYTES = 97
/** 1 and the address (20), or zeros. */
const SENDER_BYTES = 21

/** Throws RangeError for sizes that cannot be packed: before one item spoils the batch of others. */
export function checkSignature({ signingHash, signature, yParity }: RecoverableSignature): void {
  if (signingHash.length !== 32 || signature.length !== 64 || (yParity !== 0 && yParity !== 1)) {
    throw new RangeError(
      `not a signature: digest of ${signingHash.length}, r and s of ${signature.length} bytes, y parity ${yParity}`,
    )
  }
}

/** The entries one after the other, in a buffer of their own that can be transferred to another thread. */
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
 * Recovers every sender of a batch and leaves it in the same buffer, at the front: sender i lies before entry i + 1 begins, so that
 * nothing is overwritten unread and one buffer makes the whole way.
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

/** Sender i of a batch that went through `recoverBatch`, or undefined when no key made the signature. */
export function senderAt(batch: Uint8Array, i: number): Address | undefined {
  const at = SENDER_BYTES * i
  return batch[at] === 1 ? Address(batch.subarray(at + 1, at + SENDER_BYTES)) : undefined
}
