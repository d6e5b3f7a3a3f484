import type { RecoverableSignature, SenderRecovery } from '@quoin/node/crypto'
import { Address, concatBytes, equalBytes, hexToBytes, ok } from '@quoin/protocol'

/**
 * Marker signature of impersonated senders. r is 2^256 - 1, above the order of the curve, so that no key can make it. s is a byte 1 followed by the
 * sender's address, so that equal transactions of different senders have different hashes.
 */
const MARK_R = new Uint8Array(32).fill(0xff)
const MARK_S = new Uint8Array(12)
MARK_S[11] = 1

/** Marker signature (r ‖ s) of a transaction from an impersonated sender. */
export const impersonatedSignature = (sender: Address): Uint8Array => concatBytes(MARK_R, MARK_S, hexToBytes(sender))

/** The sender in a marker signature; undefined for any other signature. */
export function impersonatedSender(signature: Uint8Array): Address | undefined {
  const isMarked = equalBytes(signature.subarray(0, 32), MARK_R) && equalBytes(signature.subarray(32, 44), MARK_S)
  return isMarked ? Address(signature.subarray(44)) : undefined
}

/** Sender recovery that accepts marker signatures. The caller must check that such senders may be impersonated. */
export function withImpersonation(recovery: SenderRecovery): SenderRecovery {
  return {
    async recoverSenders(items: readonly RecoverableSignature[]) {
      const marked = items.map(({ signature }) => impersonatedSender(signature))
      const recovered = await recovery.recoverSenders(items.filter((_, i) => marked[i] === undefined))
      if (!recovered.ok) return recovered
      const signers = recovered.value.values()
      return ok(marked.map((sender) => sender ?? signers.next().value))
    },
    get stats() {
      return recovery.stats
    },
    close: () => recovery.close(),
  }
}
