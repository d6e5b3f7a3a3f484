import type { Hash, SignedTransaction } from '@quoin/protocol'
import type { Clock } from '../../powers.ts'
import { GOSSIP_LIMITS } from './limits.ts'
import { encodeTransactionsPayload } from './payload.ts'

/** Batches transactions into payloads: the first one after a pause is sent at once, later ones wait for a short window. */
export class Batcher {
  readonly #clock: Pick<Clock, 'after'>
  readonly #publish: (payload: Uint8Array, transactions: number) => void
  /** By hash, because a payload that contains a transaction twice is malformed. */
  #batch = new Map<Hash, Uint8Array>()
  #bytes = 0
  /** Set while a window is open: transactions that arrive now wait for its end. */
  #cancelWindow: (() => void) | undefined

  constructor(clock: Pick<Clock, 'after'>, publish: (payload: Uint8Array, transactions: number) => void) {
    this.#clock = clock
    this.#publish = publish
  }

  add({ hash, raw }: SignedTransaction): void {
    if (this.#batch.has(hash)) return
    this.#batch.set(hash, raw)
    this.#bytes += raw.length
    const isFull = this.#bytes >= GOSSIP_LIMITS.payloadBytesMin || this.#batch.size === GOSSIP_LIMITS.payloadTransactionsMax
    if (isFull || this.#cancelWindow === undefined) this.#flush()
  }

  /** Drops the pending batch. */
  close(): void {
    this.#cancelWindow?.()
    this.#cancelWindow = undefined
    this.#batch.clear()
  }

  /** Publishes the batch and opens the window for the next one. */
  #flush(): void {
    this.#cancelWindow?.()
    this.#cancelWindow = undefined
    if (this.#batch.size === 0) return
    const raws = [...this.#batch.values()]
    this.#batch = new Map()
    this.#bytes = 0
    this.#publish(encodeTransactionsPayload(raws), raws.length)
    this.#cancelWindow = this.#clock.after(GOSSIP_LIMITS.coalesceMs, () => this.#flush())
  }
}
