import { codec, type TimeMs } from '@quoin/protocol'
import { ask } from '../ask.ts'
import { Scope } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import type { Clock, PeerId, Transport } from '../powers.ts'
import { repeat } from '../repeat.ts'
import { clockAnswerCodec, clockQuestion } from './clock-messages.ts'
import type { Condition } from './conditions.ts'

export const CLOCK_LIMITS = {
  /** Interval between requests for the peers' time. */
  intervalMs: 5_000,
  /** An answer that took longer is ignored: the error of a measurement is up to half of the round trip. */
  roundTripMsMax: 1_000,
  /** A peer's claimed offset is clamped to this. */
  offsetMsMax: 86_400_000,
} as const

export interface PeerClocksOptions {
  readonly transport: Pick<Transport, 'peers' | 'request' | 'penalise'>
  readonly clock: Clock
  readonly logger: Pick<Logger, 'debug'>
  /** Offset above which the node warns: the chain's `clockPrecisionMs`. */
  readonly precisionMs: () => number
  readonly onFailure: (error: unknown) => void
}

/**
 * Measures the offset of this machine's clock to its peers' clocks. Each peer is asked for its time, and half of the round trip is taken as
 * the one-way delay. A peer may lie, so only the median of all peers counts, and nothing but a warning depends on it.
 */
export class PeerClocks {
  readonly #options: PeerClocksOptions
  readonly #scope: Scope
  /** Last offset of each connected peer, in ms. Positive if the peer's clock is ahead. */
  readonly #offsets = new Map<PeerId, number>()
  readonly #cancel: () => void

  constructor(options: PeerClocksOptions) {
    this.#options = options
    this.#scope = new Scope(options.onFailure)
    this.#cancel = repeat(options.clock, CLOCK_LIMITS.intervalMs, () => this.#scope.spawn('peer clocks', () => this.ask()))
  }

  /** Median of the peers' offsets, in ms. Undefined until a peer has answered. */
  get medianMs(): number | undefined {
    return median([...this.#offsets.values()])
  }

  get peerCount(): number {
    return this.#offsets.size
  }

  conditions(): readonly Condition[] {
    const offsetMs = this.medianMs
    if (offsetMs === undefined || Math.abs(offsetMs) <= this.#options.precisionMs()) return []
    const direction = offsetMs > 0 ? 'behind' : 'ahead of'
    const message = `this machine's clock is ${Math.abs(offsetMs)} ms ${direction} the median of ${this.peerCount} peers, more than the ${this.#options.precisionMs()} ms that the chain allows: check the time service (NTP) of this machine, and of the peers`
    return [{ code: 'clock-off', message }]
  }

  async close(): Promise<void> {
    this.#cancel()
    await this.#scope.close()
  }

  /** Asks every peer once. Resolves when all have answered or failed. */
  async ask(): Promise<void> {
    const peers = this.#options.transport.peers()
    for (const peer of this.#offsets.keys()) if (!peers.includes(peer)) this.#offsets.delete(peer)
    await Promise.all(peers.map((peer) => this.#askOne(peer)))
  }

  async #askOne(peer: PeerId): Promise<void> {
    const { transport, clock, logger } = this.#options
    const [sentMs, startMs] = [clock.now(), clock.monotonic()]
    const answer = await ask(this.#options, peer, clockQuestion, CLOCK_LIMITS.roundTripMsMax, this.#scope.signal)
    if (!answer.ok) {
      logger.debug({ peer, reason: answer.error.reason }, 'a peer did not answer a request for its time')
      this.#offsets.delete(peer)
      return
    }
    const roundTripMs = clock.monotonic() - startMs
    const time = codec.decode(clockAnswerCodec, answer.value)
    if (!time.ok) transport.penalise(peer, 'malformed')
    else if (roundTripMs <= CLOCK_LIMITS.roundTripMsMax) this.#offsets.set(peer, offsetOf(time.value, sentMs, roundTripMs))
  }
}

function offsetOf(peerMs: TimeMs, sentMs: number, roundTripMs: number): number {
  const offsetMs = Math.round(peerMs - (sentMs + roundTripMs / 2))
  return Math.max(-CLOCK_LIMITS.offsetMsMax, Math.min(CLOCK_LIMITS.offsetMsMax, offsetMs))
}

function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : Math.round((sorted[middle - 1]! + sorted[middle]!) / 2)
}
