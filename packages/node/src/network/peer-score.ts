import type { Offence, PeerId } from '../powers.ts'
import type { NetworkLimits } from './limits.ts'

/**
 * Points that an offence costs. A validator that runs the same code commits none of the first three; `out-of-turn` and `flood` can happen
 * to honest peers after a partition, so they cost less.
 */
export const OFFENCE_POINTS: Readonly<Record<Offence, number>> = {
  malformed: 25,
  oversized: 25,
  invalid: 20,
  flood: 5,
  'out-of-turn': 2,
}

type ScoreLimits = Pick<NetworkLimits, 'scoreMin' | 'banMs' | 'scoreHalfLifeMs'>

interface Entry {
  /** Score at time `at`; 0 or less. */
  points: number
  at: number
  bannedUntil: number
}

/**
 * Scores of peers. 0 is blameless; offences lower the score, and it recovers by halving in a fixed time. At the limit a peer is banned for
 * a while. After the ban it starts at 0, and nothing it sent before counts. Pure: the caller passes times in monotonic milliseconds.
 */
export class PeerScores {
  readonly #limits: ScoreLimits
  readonly #entries = new Map<PeerId, Entry>()

  constructor(limits: ScoreLimits) {
    this.#limits = limits
  }

  /**
   * @param sentAt when the offending message arrived
   * @returns `spent` if a ban already covers it
   */
  penalise(peer: PeerId, offence: Offence, now: number, sentAt = now): 'scored' | 'banned' | 'spent' {
    const bannedUntil = this.#entries.get(peer)?.bannedUntil ?? Number.NEGATIVE_INFINITY
    if (sentAt < bannedUntil) return 'spent'
    const points = this.score(peer, now) - OFFENCE_POINTS[offence]
    const isBanned = points <= this.#limits.scoreMin
    this.#entries.set(
      peer,
      isBanned ? { points: 0, at: now, bannedUntil: now + this.#limits.banMs } : { points, at: now, bannedUntil },
    )
    return isBanned ? 'banned' : 'scored'
  }

  score(peer: PeerId, now: number): number {
    const entry = this.#entries.get(peer)
    return entry === undefined ? 0 : entry.points * 0.5 ** ((now - entry.at) / this.#limits.scoreHalfLifeMs)
  }

  /** Remaining ban of the peer in milliseconds; 0 if it is not banned. */
  bannedMs(peer: PeerId, now: number): number {
    const entry = this.#entries.get(peer)
    return entry === undefined ? 0 : Math.max(0, entry.bannedUntil - now)
  }

  /** Drops all peers but these, so the node list bounds the memory. */
  retain(peers: ReadonlySet<PeerId>): void {
    for (const peer of this.#entries.keys()) if (!peers.has(peer)) this.#entries.delete(peer)
  }
}
