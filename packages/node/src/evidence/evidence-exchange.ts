import { evidenceStanding, type KvReader } from '@quoin/execution'
import { type Address, type Crypto, EVIDENCE_HEIGHTS_MAX, type Evidence, offenceOf } from '@quoin/protocol'
import type { Chain } from '../chain/types.ts'
import type { EvidenceSink } from '../engine/evidence-sink.ts'
import { encodeMessage } from '../engine/messages.ts'
import type { Logger } from '../logger.ts'
import type { Clock, PeerId, Transport } from '../powers.ts'
import { repeat } from '../repeat.ts'
import { TokenBucket } from '../token-bucket.ts'
import { type EvidencePool, type Known, keyOf } from './evidence-pool.ts'
import { EVIDENCE_LIMITS } from './limits.ts'
import { isProven } from './verify.ts'

export interface ExchangePowers {
  readonly pool: EvidencePool
  readonly chain: Pick<Chain, 'head' | 'domain' | 'validatorsAt' | 'onHead'>
  /** The committed state. */
  readonly state: KvReader
  readonly transport: Pick<Transport, 'peers' | 'send' | 'penalise'>
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly crypto: Crypto
  /** Address of this node's own key; undefined if it signs nothing. */
  readonly self: Address | undefined
  readonly logger: Logger
}

/**
 * Brings evidence of equivocation to all nodes: takes what the engine finds and what peers send, and passes on what is new. What a peer sends
 * costs a look at the pool and the state, and two signatures at most for each piece that its allowance pays for. Nothing is passed on that
 * was not verified here. Once the chain has taken evidence against a validator, further evidence against it changes nothing and is dropped.
 */
export class EvidenceExchange implements EvidenceSink {
  readonly #powers: ExchangePowers
  readonly #allowances = new Map<PeerId, TokenBucket>()
  readonly #stops: readonly (() => void)[]
  /** Signature checks of evidence from peers, for tests and metrics. */
  readonly counters = { verified: 0, dropped: 0 }

  constructor(powers: ExchangePowers) {
    this.#powers = powers
    this.#prune()
    this.#stops = [powers.chain.onHead(() => this.#prune()), repeat(powers.clock, EVIDENCE_LIMITS.resendMs, () => this.#resend())]
  }

  /** Evidence that is not on the chain. */
  get evidence(): readonly Evidence[] {
    return this.#powers.pool.list().map(({ evidence }) => evidence)
  }

  found(evidence: Evidence): void {
    if (this.#isSettled(evidence)) return
    const known = this.#powers.pool.add(evidence)
    if (known === undefined) return
    this.#tell(evidence)
    this.#send([known], this.#powers.transport.peers())
  }

  received(from: PeerId, evidence: Evidence): void {
    const { pool, chain, crypto, transport } = this.#powers
    if (pool.has(evidence) || !this.#mayBeJudged(evidence)) return
    const allowance = this.#allowanceOf(from)
    if (allowance.left < 1) {
      this.counters.dropped++
      return
    }
    allowance.take(1)
    if (this.#isSettled(evidence) || pool.isFull(evidence)) return
    const set = chain.validatorsAt(evidence.first.height)
    if (set === undefined) return
    this.counters.verified++
    if (!isProven(crypto, chain.domain, set, evidence)) return transport.penalise(from, 'invalid')
    const known = pool.add(evidence)
    if (known === undefined) return
    this.#tell(evidence)
    this.#send(
      [known],
      transport.peers().filter((peer) => peer !== from),
    )
  }

  onPeer(peer: PeerId, state: 'up' | 'down'): void {
    if (state === 'up') this.#send(this.#newest(), [peer])
    // A peer that comes back finds its allowance as it left it, unless it had not used it.
    else if (this.#allowances.get(peer)?.isFull === true) this.#allowances.delete(peer)
  }

  close(): void {
    for (const stop of this.#stops) stop()
  }

  /** Of a height that consensus has reached, and not too old for the chain. */
  #mayBeJudged({ first: { height } }: Evidence): boolean {
    const next = this.#powers.chain.head.header.number + 1
    return height >= 1 && height <= next && height >= next - EVIDENCE_HEIGHTS_MAX
  }

  #isSettled(evidence: Evidence): boolean {
    return evidenceStanding(this.#powers.state, keyOf(evidence)).taken !== undefined
  }

  #prune(): void {
    const { pool, chain } = this.#powers
    if (pool.size > 0) pool.prune(chain.head.header.number, (evidence) => this.#isSettled(evidence))
  }

  #resend(): void {
    for (const [peer, allowance] of this.#allowances) if (allowance.isFull) this.#allowances.delete(peer)
    this.#send(this.#newest(), this.#powers.transport.peers())
  }

  #newest(): readonly Known[] {
    return this.#powers.pool.list().slice(-EVIDENCE_LIMITS.greetingCountMax)
  }

  #send(all: readonly Known[], peers: readonly PeerId[]): void {
    for (const { evidence } of all) {
      const bytes = encodeMessage({ kind: 'evidence', evidence })
      for (const peer of peers) this.#powers.transport.send(peer, bytes)
    }
  }

  #allowanceOf(peer: PeerId): TokenBucket {
    const known = this.#allowances.get(peer)
    if (known !== undefined) return known
    const { peerBurstCount: burst, peerPerSecondCount: perSecond } = EVIDENCE_LIMITS
    const allowance = new TokenBucket(this.#powers.clock, { burst, perSecond })
    this.#allowances.set(peer, allowance)
    return allowance
  }

  #tell(evidence: Evidence): void {
    const { self, logger } = this.#powers
    const { validator, height, round, kind } = offenceOf(evidence)
    const fields = { validator, height, round, kind }
    if (validator === self)
      logger.error(
        fields,
        "another process signs with this validator's key, which is equivocation: stop one of the two. The evidence is reported to the chain, and the validator loses its power",
      )
    else logger.warn(fields, 'equivocation: a validator signed two conflicting messages')
  }
}
