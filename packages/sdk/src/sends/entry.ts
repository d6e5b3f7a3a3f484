import type { Abi, Hash, TransactionReceipt } from 'viem'
import type { Call, QueuedRecord } from './record.ts'

/** What a caller sees of a send. */
export type SendStatus = 'queued' | 'signed' | 'sent' | 'included' | 'failed'

export interface SendUpdate {
  readonly status: SendStatus
  /** From `signed` on. It changes only if other software took the nonce before the transaction had left. */
  readonly hash?: Hash
  /** Of a `failed` send: what `receipt` rejects with. */
  readonly error?: unknown
}

/** How a contract's errors are decoded. */
export interface Decoder {
  readonly abi: Abi
  readonly functionName: string
  readonly args: unknown
}

/** A send of this process that has not ended: the state that all its handles share. */
export class Entry {
  readonly id: string
  readonly call: Call
  readonly fingerprint: Hash
  readonly gas: bigint | undefined
  readonly deadlineMs: number
  readonly createdMs = Date.now()
  readonly decoder: Decoder | undefined
  /** Every status in order. A send has few. */
  readonly history: SendUpdate[] = [{ status: 'queued' }]
  receipt: TransactionReceipt | undefined
  /** The store has no send of this id as far as is known: it was asked, or the id was made for this send. Until then an earlier process may have sent it. */
  isAdmitted: boolean
  #isClaimed = false
  readonly #listeners = new Set<() => void>()

  constructor(parts: Pick<Entry, 'id' | 'call' | 'fingerprint' | 'gas' | 'deadlineMs' | 'decoder' | 'isAdmitted'>) {
    this.id = parts.id
    this.call = parts.call
    this.fingerprint = parts.fingerprint
    this.gas = parts.gas
    this.deadlineMs = parts.deadlineMs
    this.decoder = parts.decoder
    this.isAdmitted = parts.isAdmitted
  }

  get latest(): SendUpdate {
    return this.history.at(-1)!
  }

  /** It is being signed, so it can no longer be cancelled. */
  get isClaimed(): boolean {
    return this.#isClaimed
  }

  claim(): void {
    this.#isClaimed = true
  }

  /** Nothing is known of an attempt to store it: the store is asked again. */
  readmit(): void {
    this.isAdmitted = false
    this.#isClaimed = false
  }

  /** Its record, before it is signed. */
  queued(order: number): QueuedRecord {
    const { call, gas, fingerprint, createdMs, deadlineMs } = this
    const id = encodeURIComponent(this.id)
    return { status: 'queued', id, order, fingerprint, call, gas, createdMs, deadlineMs, resigned: 0 }
  }

  get hasEnded(): boolean {
    return this.latest.status === 'included' || this.latest.status === 'failed'
  }

  /** Tells a new status; one that says nothing new is ignored. */
  tell(update: SendUpdate): void {
    const { status, hash } = this.latest
    if (this.hasEnded || (status === update.status && hash === update.hash)) return
    // The same transaction does not go back: an owner in another process does not tell when it was sent.
    if (update.status === 'signed' && status === 'sent' && hash === update.hash) return
    this.history.push(update)
    for (const listener of [...this.#listeners]) listener()
  }

  include(receipt: TransactionReceipt): void {
    this.receipt = receipt
    this.tell({ status: 'included', hash: receipt.transactionHash })
  }

  fail(error: unknown): void {
    this.tell({ status: 'failed', error })
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
