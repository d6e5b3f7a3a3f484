import type { ChainParameters, Proposal, TimeMs } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import type { PeerId } from '../powers.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { isTimely } from './value-judge.ts'

/**
 * Reports proposals whose block time does not match their arrival by this machine's clock. This node does not vote for such a proposal. If
 * the clocks of a third of the voting power are wrong, no block is made at all.
 */
export class Timeliness {
  readonly #logger: Pick<Logger, 'warn'>
  /** Rounds already checked in the newest height: proposals are received repeatedly, and rounds in any order. */
  #height = 0
  readonly #rounds = new Set<number>()
  readonly counters = { proposalsEarly: 0, proposalsLate: 0 }

  constructor(logger: Pick<Logger, 'warn'>) {
    this.#logger = logger
  }

  /** Handles a verified proposal of a new block; `timeMs` is the block's time. Only the first proposal of each round counts. */
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
        ? "proposal is untimely: its time is ahead of this machine's clock. This clock or the proposer's clock is wrong"
        : 'proposal is untimely: it arrived too long after its time. A clock is wrong, or the network is slow',
    )
  }
}
