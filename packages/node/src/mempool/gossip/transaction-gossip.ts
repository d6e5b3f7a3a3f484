import { setMaxListeners } from 'node:events'
import { type Crypto, hexToBytes, type SignedTransaction } from '@quoin/protocol'
import { pause } from '../../abort.ts'
import type { Clock, PeerId, Random, Transport } from '../../powers.ts'
import { FadingRecall, RECALL_KEY_BYTES } from '../../recall.ts'
import type { Mempool, PoolRefusal } from '../types.ts'
import { Batcher } from './batcher.ts'
import { type Conduct, Conducts } from './conduct.ts'
import { type Admission, Intake } from './intake.ts'
import { GOSSIP_LIMITS } from './limits.ts'
import { decodeTransactionsPayload } from './payload.ts'

export interface GossipPowers {
  readonly mempool: Pick<Mempool, 'add' | 'verified' | 'onAdmitted'>
  readonly transport: Pick<Transport, 'publish' | 'penaliseGossip'>
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly crypto: Pick<Crypto, 'keccak256'>
  readonly random: Random
}

/** Refusals that prove misbehaviour: no honest node's pool admits these transactions, so no honest node relays them. */
const FORGED: ReadonlySet<PoolRefusal['code']> = new Set([
  'malformed',
  'oversized',
  'type-not-supported',
  'unprotected',
  'wrong-chain',
  'bad-signature',
])

/**
 * Spreads transactions ([ADR 7](docs/adr/0007-gossip.md)). Transactions of this node's clients are sent in batches to all peers. If the
 * pool admits a whole payload, gossipsub's mesh forwards the payload. From any other payload only the admitted transactions are forwarded,
 * in this node's batches. So whatever a peer sends, this node forwards what is new. Each transaction is published once: one that the pool
 * dropped and admitted again is not published again.
 */
export class TransactionGossip {
  readonly #powers: GossipPowers
  readonly #unsubscribe: () => void
  readonly #intake: Intake
  readonly #conducts: Conducts
  readonly #own: Batcher
  readonly #passedOn: Batcher
  /** Transactions that this node sent recently, in its own batches or in forwarded payloads. */
  readonly #published: FadingRecall
  readonly #closing = new AbortController()
  /**
   * `again`: admitted but not published, because they had been published before. `repeats`: sent before by the same peer. `waste`: verified
   * and then refused.
   */
  readonly counters = { payloads: 0, transactions: 0, again: 0, repeats: 0, waste: 0 }

  constructor(powers: GossipPowers) {
    const { mempool, clock, random } = powers
    this.#powers = powers
    // Each waiting payload adds a listener; the network limits their number.
    setMaxListeners(0, this.#closing.signal)
    this.#intake = new Intake(powers)
    this.#conducts = new Conducts(clock, random)
    const { publishedMs: keptMs, publishedSlotBits: slotBits } = GOSSIP_LIMITS
    this.#published = new FadingRecall({ clock, key: random.bytes(RECALL_KEY_BYTES), keptMs, slotBits })
    this.#own = new Batcher(clock, (payload, transactions) => this.#publish(payload, transactions, 'all'))
    this.#passedOn = new Batcher(clock, (payload, transactions) => this.#publish(payload, transactions, 'mesh'))
    this.#unsubscribe = mempool.onAdmitted((transaction, origin) => {
      if (origin !== 'gossip' && this.#isFirstTime(transaction)) this.#own.add(transaction)
    })
  }

  /**
   * Admits the transactions of a payload. `reject` penalises the sending peer. Resolves late while the peer has exceeded its allowance for
   * refused transactions, so that the network reads no more from it.
   */
  async onPayload(from: PeerId, payload: Uint8Array): Promise<'accept' | 'ignore' | 'reject'> {
    const raws = decodeTransactionsPayload(payload)
    if (!raws.ok || raws.value.length === 0) return 'reject'
    const conduct = this.#conducts.of(from)
    await this.#untilOwed(conduct, GOSSIP_LIMITS.wasteBurstBytes)
    const { admissions, hasTwins } = await this.#intake.take(from, raws.value, (hash) => conduct.sent.noteOnce(hash))
    const fresh = admissions.flatMap(({ result }) => (result.ok && this.#isFirstTime(result.value) ? [result.value] : []))
    if (!hasTwins && fresh.length === raws.value.length) return 'accept'
    for (const transaction of fresh) this.#passedOn.add(transaction)
    if (hasTwins || admissions.some(isForged)) return 'reject'
    this.#chargeRepeats(from, conduct, admissions)
    this.#chargeWaste(conduct, admissions)
    await this.#untilOwed(conduct, 0)
    return 'ignore'
  }

  onPeer(peer: PeerId, state: 'up' | 'down'): void {
    this.#conducts.onPeer(peer, state)
  }

  close(): void {
    this.#unsubscribe()
    this.#closing.abort()
    this.#intake.close()
    this.#own.close()
    this.#passedOn.close()
  }

  #publish(payload: Uint8Array, transactions: number, to: 'all' | 'mesh'): void {
    this.counters.payloads++
    this.counters.transactions += transactions
    this.#powers.transport.publish(payload, to)
  }

  /** Returns true if the transaction was not published recently, and notes it as published: the caller must publish it. */
  #isFirstTime({ hash }: SignedTransaction): boolean {
    const wasPublished = this.#published.noteOnce(hexToBytes(hash))
    if (wasPublished) this.counters.again++
    return !wasPublished
  }

  #chargeRepeats(from: PeerId, { repeats }: Conduct, admissions: readonly Admission[]): void {
    const { repeatOverheadBytes, repeatStepBytes } = GOSSIP_LIMITS
    for (const { raw, isRepeat, result } of admissions) {
      if (result.ok || !isRepeat) continue
      this.counters.repeats++
      repeats.take(raw.length + repeatOverheadBytes)
    }
    for (; repeats.left < 0; repeats.take(-repeatStepBytes)) this.#powers.transport.penaliseGossip(from, 'flood')
  }

  #chargeWaste({ waste }: Conduct, admissions: readonly Admission[]): void {
    for (const { raw, wasVerified, result } of admissions) {
      if (result.ok) continue
      const isKnown = wasVerified || result.error.code === 'already-known'
      if (!isKnown) this.counters.waste++
      waste.take(isKnown ? GOSSIP_LIMITS.knownBytes : raw.length + GOSSIP_LIMITS.wasteOverheadBytes)
    }
  }

  /** Waits until the peer's debt for refused transactions is at most `bytes`. */
  async #untilOwed({ waste }: Conduct, bytes: number): Promise<void> {
    const waitMs = waste.waitMs - (1_000 * bytes) / GOSSIP_LIMITS.wasteBytesPerSecond
    if (waitMs > 0) await pause(this.#powers.clock, waitMs, this.#closing.signal)
  }
}

const isForged = ({ result }: Admission): boolean => !result.ok && FORGED.has(result.error.code)
