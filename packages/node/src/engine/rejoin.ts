import type { Height } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import type { Clock, Transport } from '../powers.ts'
import type { BlockSync } from '../sync/types.ts'
import { ENGINE_LIMITS } from './limits.ts'

export interface RejoinPowers {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly sync: Pick<BlockSync, 'behind' | 'heard'>
  readonly transport: Pick<Transport, 'peers'>
  readonly headHeight: () => Height
  /** Peers of which so many include an honest one that is up to date. */
  readonly peersNeeded: () => number
  /** Whether this validator's sign state is not the last one: then no time makes up for what peers have not said. */
  readonly isLost: () => boolean
  readonly logger: Logger
}

/**
 * The time after a start in which a validator signs nothing, since its database, its log and its sign state may all be an older copy: until so
 * many peers have said how far they are, and what they claim is committed here. Peers that lie cannot hold it for long, where the sign state is not known
 * to be lost. Meanwhile peers also show it its own votes of this height (`SignCustody`).
 */
export class Rejoin {
  readonly #powers: RejoinPowers
  readonly #onOver: () => void
  #cancel: () => void = () => {}
  #active = false
  #startedMs = 0
  /** When the head moved last, and when a wait was last spoken of. */
  #movedMs = 0
  #saidMs = 0
  #head = -1

  constructor(powers: RejoinPowers, onOver: () => void) {
    this.#powers = powers
    this.#onOver = onOver
  }

  get active(): boolean {
    return this.#active
  }

  /** Begins; `onOver` is called once it is over, which may be at once. */
  begin(): void {
    const nowMs = this.#powers.clock.monotonic()
    this.#active = true
    this.#startedMs = nowMs
    this.#movedMs = nowMs
    this.#saidMs = nowMs
    this.#check()
  }

  close(): void {
    this.#cancel()
  }

  #check(): void {
    if (this.#isOver()) {
      this.#active = false
      return this.#onOver()
    }
    this.#cancel = this.#powers.clock.after(ENGINE_LIMITS.rejoinCheckMs, () => this.#check())
  }

  #isOver(): boolean {
    const { clock, sync, transport, headHeight, peersNeeded, isLost } = this.#powers
    const nowMs = clock.monotonic()
    const head = headHeight()
    if (head !== this.#head) {
      this.#head = head
      this.#movedMs = nowMs
    }
    const needed = peersNeeded()
    if (needed === 0) return true
    const peers = transport.peers().length
    const waitedMs = nowMs - this.#startedMs
    if (!sync.behind && sync.heard >= Math.max(needed, peers)) return waitedMs >= ENGINE_LIMITS.rejoinMsMin
    if (isLost()) return this.#say(nowMs, peers)
    if (sync.behind) return nowMs - this.#movedMs >= ENGINE_LIMITS.rejoinStallMsMax
    // With fewer peers no block is made anyway.
    return waitedMs >= (peers < needed ? ENGINE_LIMITS.rejoinLonelyMsMax : ENGINE_LIMITS.rejoinMsMax)
  }

  #say(nowMs: number, peers: number): false {
    if (nowMs - this.#saidMs >= ENGINE_LIMITS.rejoinStallMsMax) {
      this.#saidMs = nowMs
      const { logger, peersNeeded, sync } = this.#powers
      logger.warn(
        { peers, heard: sync.heard, needed: peersNeeded(), behind: sync.behind },
        'this validator has no sign state and waits: it signs nothing before its peers have said how far the chain is',
      )
    }
    return false
  }
}

/** Peers of which so many include an honest one, in a set of so many validators. */
export const honestPeersNeeded = (validators: number): number => (validators <= 1 ? 0 : 1 + Math.floor((validators - 1) / 3))
