import type { ChainParameters, Proposal, TimeMs } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import type { PeerId } from '../powers.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { isTimely } from './value-judge.ts'

/**
 * Tells of proposals whose block time does not fit their arrival by this machine's clock. Such a proposal gets no vote here, and where the
 * clocks of a third of the power are off, no block at all.
 */
export class Timeliness {
  readonly #logger: Pick<Logger, 'warn'>
  /** What was looked at in the newest height: a proposal comes again and again, and rounds in any order. */
  #height = 0
  readonly #rounds = new Set<number>()
  readonly counters = { proposalsEarly: 0, proposalsLate: 0 }

  constructor(logger: Pick<Logger, 'warn'>) {
    this.#logger = logger
  }

  /** A verified proposal of a new block arrived; `timeMs` is the block's. The first of each round counts. */
  look(
    { height, round, proposer }: Proposal,
    timeMs: TimeMs,
    from: PeerId,
    receivedMs: number,
    parameters: ChainParameters,
  ): void {
    if (height > this.#height) this.#rounds.clear()
    if (height < this.#height || this.#rounds.has(round) || this.#rounds.size >= ENGINE_LIMITS.receivedRoundsMax) return
    this.#height = height
    this.#rounds.add(round)
    if (isTimely(timeMs, receivedMs, round, parameters)) return
    const offsetMs = Math.round(timeMs - receivedMs)
    this.counters[offsetMs > 0 ? 'proposalsEarly' : 'proposalsLate']++
    const { clockPrecisionMs, messageDelayMs } = parameters
    this.#logger.warn(
      { height, round, proposer, from, offsetMs, clockPrecisionMs, messageDelayMs },
      offsetMs > 0
        ? "a proposal is untimely: its time is ahead of this machine's clock. Either this clock or its proposer's is wrong"
        : 'a proposal is untimely: it arrived too long after its time. A clock is wrong, or the network is slow',
    )
  }
}
