import type { Address, Crypto, Result } from '@quoin/protocol'
import { err, ok } from '@quoin/protocol'
import { checkSignature, packSignatures, type RecoverableSignature, recoverBatch, senderAt } from './signature-batch.ts'

export interface RecoveryRefusal {
  /** `overloaded`: more than `signaturesQueuedMax` would wait. `closed`: after `close`. `failed`: the workers keep crashing. */
  readonly code: 'overloaded' | 'closed' | 'failed'
  readonly message: string
}

export interface RecoveryStats {
  /** Signatures processed since the start, valid or not: each costs the same. */
  readonly recovered: number
  /** Number of those that are invalid: no public key can be recovered. */
  readonly invalid: number
  /** Batches of those signatures. */
  readonly batches: number
  /** Signatures that wait or are in work. */
  readonly pending: number
}

/** Recovers the senders of signed transactions: the most expensive step of admission, normally done off the main thread. */
export interface SenderRecovery {
  /**
   * Recovers the signers of all items, or of none.
   *
   * @returns Addresses in the order of the items; undefined for an invalid signature (see `Crypto.recover`). Or a refusal.
   * @throws {RangeError} If an item has a wrong size, which is a bug of the caller.
   */
  recoverSenders(items: readonly RecoverableSignature[]): Promise<Result<readonly (Address | undefined)[], RecoveryRefusal>>
  readonly stats: RecoveryStats
  /** Refuses new calls, finishes pending ones, and resolves when the workers have ended. */
  close(): Promise<void>
}

export const closedRefusal = err<RecoveryRefusal>({ code: 'closed', message: 'sender recovery is closed' })

/** Recovery on the calling thread, for the simulator and for tools with few signatures. */
export function createInlineRecovery(crypto: Crypto): SenderRecovery {
  let [recovered, invalid, batches, closed] = [0, 0, 0, false]
  return {
    async recoverSenders(items) {
      if (closed) return closedRefusal
      items.forEach(checkSignature)
      const batch = packSignatures(items)
      recoverBatch(crypto, batch)
      const senders = items.map((_, i) => senderAt(batch, i))
      recovered += senders.length
      invalid += senders.filter((sender) => sender === undefined).length
      if (senders.length > 0) batches++
      return ok(senders)
    },
    get stats() {
      return { recovered, invalid, batches, pending: 0 }
    },
    async close() {
      closed = true
    },
  }
}
