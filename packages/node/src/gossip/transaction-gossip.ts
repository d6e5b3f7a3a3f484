import { codec, LIMITS, type SignedTransaction } from '@quoin/protocol'
import type { Mempool, PoolRefusal } from '../mempool/types.ts'
import type { Clock, PeerId, Transport } from '../powers.ts'

export const GOSSIP_LIMITS = {
  /** The first transaction after a pause leaves at once; those that follow wait this long for company. */
  coalesceMs: 40,
  /** A payload is sent as soon as it has grown to this. With one more transaction it still fits the network's payload limit. */
  payloadBytesMin: 128 * 1024,
  payloadTransactionsMax: 2_048,
} as const

const payloadCodec = codec.list(codec.bytes(LIMITS.transactionBytesMax), GOSSIP_LIMITS.payloadTransactionsMax)

export const encodeTransactionsPayload = (raws: readonly Uint8Array[]): Uint8Array => codec.encode(payloadCodec, raws)

/** Says that a sender passes on what it cannot have admitted: no honest node's pool takes these. */
const FORGED: ReadonlySet<PoolRefusal['code']> = new Set([
  'malformed',
  'oversized',
  'type-not-supported',
  'unprotected',
  'wrong-chain',
  'bad-signature',
])

/**
 * Spreads transactions that this node's clients sent. What came by gossip is spread on by the mesh itself, once it was admitted here by
 * the same rules.
 */
export class TransactionGossip {
  readonly #mempool: Pick<Mempool, 'add'>
  readonly #transport: Pick<Transport, 'publish'>
  readonly #clock: Pick<Clock, 'after'>
  readonly #unsubscribe: () => void
  #batch: Uint8Array[] = []
  #bytes = 0
  /** A window is open: what comes now waits for its end. */
  #cancelWindow: (() => void) | undefined
  readonly counters = { payloads: 0, transactions: 0 }

  constructor(mempool: Pick<Mempool, 'add' | 'onAdmitted'>, transport: Pick<Transport, 'publish'>, clock: Pick<Clock, 'after'>) {
    this.#mempool = mempool
    this.#transport = transport
    this.#clock = clock
    this.#unsubscribe = mempool.onAdmitted((transaction, origin) => {
      if (origin !== 'gossip') this.#add(transaction)
    })
  }

  /** Admits what a payload holds. `reject` blames the peer it came from. */
  async onPayload(_from: PeerId, payload: Uint8Array): Promise<'accept' | 'ignore' | 'reject'> {
    const raws = codec.decode(payloadCodec, payload)
    if (!raws.ok || raws.value.length === 0) return 'reject'
    const results = await Promise.all(raws.value.map((raw) => this.#mempool.add(raw, 'gossip')))
    if (results.some((result) => !result.ok && FORGED.has(result.error.code))) return 'reject'
    return results.some((result) => result.ok || result.error.code === 'already-known') ? 'accept' : 'ignore'
  }

  close(): void {
    this.#unsubscribe()
    this.#cancelWindow?.()
    this.#cancelWindow = undefined
  }

  #add({ raw }: SignedTransaction): void {
    this.#batch.push(raw)
    this.#bytes += raw.length
    const isFull = this.#bytes >= GOSSIP_LIMITS.payloadBytesMin || this.#batch.length === GOSSIP_LIMITS.payloadTransactionsMax
    if (isFull || this.#cancelWindow === undefined) this.#flush()
  }

  /** Publishes the batch and opens the window for the next. */
  #flush(): void {
    this.#cancelWindow?.()
    this.#cancelWindow = undefined
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#bytes = 0
    this.counters.payloads++
    this.counters.transactions += batch.length
    this.#transport.publish(encodeTransactionsPayload(batch))
    this.#cancelWindow = this.#clock.after(GOSSIP_LIMITS.coalesceMs, () => this.#flush())
  }
}
