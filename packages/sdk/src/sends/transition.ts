import type { FailedRecord, Failure, IncludedRecord, QueuedRecord, Signed, SignedRecord } from './record.ts'

/**
 * A send from its signature to its end, as a pure function of events.
 *
 *     queued ──sign──▶ signed ──consumed by itself──▶ included
 *       ▲               │  │
 *       │               │  └─ refused, or too late: fill, a no-op with the same nonce; whichever is included decides
 *       └── taken ──────┴──── consumed by another: failed, or signed again if no node can have had it
 *
 * Blocks are final here. So once a block has a transaction with the nonce, all others with it are void for ever, and only then a send ends.
 */
export interface Live {
  readonly record: SignedRecord
  /**
   * A node may have the transaction: it was accepted, or an attempt had no answer, or the process that signed it has ended. An attempt that was
   * definitely refused leaves nothing behind.
   */
  readonly isOut: boolean
  /** `isOut` before the attempt that is under way. */
  readonly wasOut: boolean
  /** A refusal of the chain. The transaction is not sent again; the nonce must be filled. */
  readonly refusal?: Extract<Failure, { reason: 'refused' }> | undefined
}

export type Event =
  | { readonly kind: 'leave' }
  | { readonly kind: 'accepted' }
  /** No answer, or one that leaves open whether the node has it. */
  | { readonly kind: 'unknown' }
  /** The node does not have it and will not take it now; it may later. */
  | { readonly kind: 'postponed' }
  /** No node will ever take it. */
  | { readonly kind: 'refused'; readonly refusal: string; readonly message: string }
  | { readonly kind: 'filled'; readonly filler: Signed; readonly cause: Failure }
  | { readonly kind: 'consumed'; readonly by: Consumer }

/** The transaction that used the nonce. */
export type Consumer =
  | { readonly kind: 'send'; readonly blockNumber: bigint; readonly success: boolean }
  | { readonly kind: 'filler' }
  | { readonly kind: 'other'; readonly hash?: Signed['hash'] | undefined }

/** Other software may take the nonce of a send that never left this often. */
export const RESIGNED_MAX = 3

/** What was just signed; `isOut` is true for a record of another life. */
export const live = (record: SignedRecord, isOut: boolean): Live => ({ record, isOut, wasOut: isOut })

export type Next = Live | { readonly record: QueuedRecord | IncludedRecord | FailedRecord }

export function transition(current: Live, event: Event): Next {
  switch (event.kind) {
    case 'leave':
      return { ...current, wasOut: current.isOut, isOut: true }
    case 'accepted':
    case 'unknown':
      return { ...current, wasOut: true, isOut: true }
    case 'postponed':
      return { ...current, isOut: current.wasOut }
    case 'refused': {
      // A filler that is refused decides nothing: it is sent again.
      if (current.record.filler !== undefined) return { ...current, isOut: current.wasOut }
      const { refusal, message } = event
      return { ...current, isOut: current.wasOut, refusal: { reason: 'refused', refusal, message } }
    }
    case 'filled':
      return { ...current, record: { ...current.record, filler: { ...event.filler, cause: event.cause } } }
    case 'consumed':
      return { record: consumed(current, event.by) }
  }
}

function consumed({ record, isOut, refusal }: Live, by: Consumer): QueuedRecord | IncludedRecord | FailedRecord {
  const { id, order, fingerprint, hash, nonce, call, resigned } = record
  const base = { id, order, fingerprint }
  if (by.kind === 'send') {
    const { blockNumber, success } = by
    return { ...base, status: 'included', hash, blockNumber, success, ...(success ? {} : { call }) }
  }
  const cause = record.filler?.cause ?? refusal
  if (cause !== undefined) return { ...base, status: 'failed', failure: cause }
  if (isOut || resigned >= RESIGNED_MAX) {
    const failure: Failure = { reason: 'nonce-taken', nonce, by: by.kind === 'other' ? by.hash : undefined }
    return { ...base, status: 'failed', failure }
  }
  const { gas, createdMs, deadlineMs } = record
  return { ...base, status: 'queued', call, gas, createdMs, deadlineMs, resigned: resigned + 1 }
}

/** Why the nonce must be filled, once it must. `blockMs` is the time of a block. */
export function fillCause({ record, refusal }: Live, blockMs: number): Failure | undefined {
  if (record.filler !== undefined) return undefined
  if (refusal !== undefined) return refusal
  return blockMs > record.deadline ? { reason: 'expired', hash: record.hash } : undefined
}

/** The transaction to send now: the filler replaces the send's own. None while the refused one waits for its filler. */
export const outgoing = ({ record, refusal }: Live): Signed | undefined =>
  record.filler ?? (refusal === undefined ? record : undefined)

/** A failure that is certain before the nonce is used: no node can have the transaction. */
export function certainFailure({ record, isOut, refusal }: Live): Failure | undefined {
  return refusal !== undefined && !isOut && record.filler !== undefined ? refusal : undefined
}
