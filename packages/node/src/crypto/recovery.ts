import type { Address, Crypto, Result } from '@quoin/protocol'
import { err, ok } from '@quoin/protocol'
import { checkSignature, packSignatures, type RecoverableSignature, recoverBatch, senderAt } from './signature-batch.ts'

export interface RecoveryRefusal {
  /** `overloaded`: more than `signaturesQueuedMax` wait. `closed`: after `close`. `failed`: the workers die as fast as they are replaced. */
  readonly code: 'overloaded' | 'closed' | 'failed'
  readonly message: string
}

export interface RecoveryStats {
  /** Signatures worked on since the start, with or without a sender: each costs the same. */
  readonly recovered: number
  /** Of those, the ones that no key made. */
  readonly invalid: number
  /** Batches they came in. */
  readonly batches: number
  /** Signatures that wait or are being worked on. */
  readonly pending: number
}

/** Senders of signed transactions: the most expensive step of admission, done off the main thread. */
export interface SenderRecovery {
  /**
   * Address of who signed each item, in their order; undefined where no key did (see `Crypto.recover`). All items of a call or none.
   * Rejects when an item has a wrong size, which is a bug of the caller.
   */
  recoverSenders(items: readonly RecoverableSignature[]): Promise<Result<readonly (Address | undefined)[], RecoveryRefusal>>
  readonly stats: RecoveryStats
  /** Takes no more, finishes what was taken, and resolves when the workers are gone. */
  close(): Promise<void>
}

export const closedRefusal = err<RecoveryRefusal>({ code: 'closed', message: 'sender recovery is closed' })

/** Recovery on the calling thread, for the simulator and for tools that have few signatures. */
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
