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
  /** Number of peers that is certain to include an honest, up-to-date one. */
  readonly peersNeeded: () => number
  /** Whether this validator's sign state is not the newest one. Then no timeout replaces the peers' reports. */
  readonly isLost: () => boolean
  readonly logger: Logger
}

/**
 * The wait of a validator after a start. It signs nothing, because its database, log and sign state may all be an older copy. The wait ends
 * when enough peers have reported their height and this node has committed up to what they claim. Peers that lie can only delay it for a
 * bounded time, unless the sign state is known to be lost. Meanwhile peers also send the validator its own votes of this height
 * (`SignCustody`).
 */
export class Rejoin {
  readonly #powers: RejoinPowers
  readonly #onOver: () => void
  #cancel: () => void = () => {}
  #active = false
  #startedMs = 0
  /** When the head last moved, and when a wait was last logged. */
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

  /** Starts the wait; `onOver` is called when it ends, possibly at once. */
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
    // With fewer peers than that, no block is made anyway.
    return waitedMs >= (peers < needed ? ENGINE_LIMITS.rejoinLonelyMsMax : ENGINE_LIMITS.rejoinMsMax)
  }

  #say(nowMs: number, peers: number): false {
    if (nowMs - this.#saidMs >= ENGINE_LIMITS.rejoinStallMsMax) {
      this.#saidMs = nowMs
      const { logger, peersNeeded, sync } = this.#powers
      logger.warn(
        { peers, heard: sync.heard, needed: peersNeeded(), behind: sync.behind },
        'this validator lost its sign state: it signs nothing until its peers have reported the height of the chain',
      )
    }
    return false
  }
}

/** Number of peers that is certain to include an honest one, for a set of `validators` validators. */
export const honestPeersNeeded = (validators: number): number => (validators <= 1 ? 0 : 1 + Math.floor((validators - 1) / 3))
