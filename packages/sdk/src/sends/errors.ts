import type { Hash, Hex, TransactionReceipt } from 'viem'
import { QuoinError } from '../errors.ts'
import type { Failure } from './record.ts'

/** Why a send failed. `closed` and `store` say nothing of the chain: the send may go on. `receipt`: it is in a block, but its receipt is gone. `invalid`: its call could not be encoded (of `useSend`; elsewhere viem's error is thrown). */
export type SendReason =
  | 'account'
  | 'cancelled'
  | 'closed'
  | 'expired'
  | 'id-conflict'
  | 'invalid'
  | 'nonce-taken'
  | 'queue-full'
  | 'receipt'
  | 'refused'
  | 'reverted'
  | 'store'

/** A send that did not do what it was asked. `reason` tells which of the classes below it is. */
export class SendError extends QuoinError {
  readonly reason: SendReason
  /** The id of the send. Empty if the failure is not of one send. */
  readonly id: string

  constructor(reason: SendReason, id: string, message: string, options: ErrorDetails = {}) {
    super(message, details(options))
    this.name = options.name ?? 'SendError'
    this.reason = reason
    this.id = id
  }
}

interface ErrorDetails {
  readonly name?: string
  readonly cause?: unknown
  readonly metaMessages?: readonly string[]
}

const details = ({ cause, metaMessages = [] }: ErrorDetails) => ({
  metaMessages: [...metaMessages],
  ...(cause instanceof Error ? { cause } : {}),
})

/** Final: the deadline passed in block time, and the transaction cannot be included any more. */
export class SendExpiredError extends SendError {
  /** Undefined if it was never signed. */
  readonly hash: Hash | undefined

  constructor(id: string, hash: Hash | undefined) {
    const why =
      hash === undefined ? 'It was never signed.' : 'Another transaction has used its nonce, so it can never be included.'
    super('expired', id, `Send "${id}" was not included before its deadline.`, { name: 'SendExpiredError', metaMessages: [why] })
    this.hash = hash
  }
}

/** The transaction was included and reverted. The cause is viem's ContractFunctionExecutionError, if its ABI is known. */
export class SendRevertedError extends SendError {
  readonly receipt: TransactionReceipt
  /** What the call returns when it is repeated on the state after its block: nearly always what the transaction returned. */
  readonly data: Hex | undefined

  constructor(id: string, receipt: TransactionReceipt, data: Hex | undefined, cause?: unknown) {
    super('reverted', id, `Send "${id}" reverted in block ${receipt.blockNumber}.`, { name: 'SendRevertedError', cause })
    this.receipt = receipt
    this.data = data
  }
}

/** The chain refuses it: its call would revert, or its transaction is not valid. No transaction of this send will be included. */
export class SendRefusedError extends SendError {
  /** The node's reason, such as `insufficient-funds`, or `reverted`. */
  readonly refusal: string

  constructor(id: string, refusal: string, message: string, cause?: unknown) {
    super('refused', id, `Send "${id}" was refused: ${message}`, { name: 'SendRefusedError', cause })
    this.refusal = refusal
  }
}

/** Other software used the nonce of this send. Its transaction can never be included. */
export class NonceTakenError extends SendError {
  readonly nonce: number
  /** The transaction that has the nonce, if it could be found. */
  readonly by: Hash | undefined

  constructor(id: string, nonce: number, by: Hash | undefined) {
    super('nonce-taken', id, `Send "${id}" lost its nonce ${nonce} to another transaction of the same key.`, {
      name: 'NonceTakenError',
      metaMessages: [
        `It was ${by ?? 'not found'}.`,
        'Only one program may send with a key. Give the other one a key of its own.',
      ],
    })
    this.nonce = nonce
    this.by = by
  }
}

/** It was cancelled before it was signed. */
export class SendCancelledError extends SendError {
  constructor(id: string) {
    super('cancelled', id, `Send "${id}" was cancelled before it was signed.`, { name: 'SendCancelledError' })
  }
}

/** There is a send of this id with another call. The code is EIP-5792's. */
export class SendIdConflictError extends SendError {
  readonly code = 5720

  constructor(id: string) {
    super('id-conflict', id, `There is another send with the id "${id}".`, {
      name: 'SendIdConflictError',
      metaMessages: ['An id stands for one call: the same id with the same call joins the earlier send.'],
    })
  }
}

/** Too many sends wait. */
export class SendQueueFullError extends SendError {
  constructor(id: string, queuedMax: number) {
    super('queue-full', id, `${queuedMax} sends are under way: wait for some of them.`, { name: 'SendQueueFullError' })
  }
}

/** The store failed. The send may or may not be in it: `resume` tells. */
export class SendStoreError extends SendError {
  constructor(id: string, cause: unknown) {
    super('store', id, `Send "${id}" could not be stored.`, { name: 'SendStoreError', cause })
  }
}

/** The tracker was closed. What is in the store goes on with the next one. */
export class SendsClosedError extends SendError {
  constructor(id: string) {
    super('closed', id, 'The sends were closed. Unfinished ones go on after the next start.', { name: 'SendsClosedError' })
  }
}

/** The error of a failure that was stored. */
export function errorOf(id: string, failure: Failure): SendError {
  switch (failure.reason) {
    case 'expired':
      return new SendExpiredError(id, failure.hash)
    case 'refused':
      return new SendRefusedError(id, failure.refusal, failure.message)
    case 'nonce-taken':
      return new NonceTakenError(id, failure.nonce, failure.by)
    case 'cancelled':
      return new SendCancelledError(id)
  }
}
