import type { Height } from '@quoin/protocol'
import type { Clock, PeerId } from '../powers.ts'
import { SYNC_LIMITS } from './limits.ts'

interface Entry {
  /** Height that the peer claims to have committed, until the claim is refuted. */
  claim: Height | undefined
  score: number
  /** Monotonic time of the score's last change. */
  scoredAtMs: number
  failures: number
  benchedUntilMs: number
  /** Value of the choice counter when the peer was last chosen, so that equal peers take turns. */
  chosenAt: number
}

/** Peers as sources of blocks: their claims, and whether they delivered. Times are monotonic. */
export class PeerBook {
  readonly #clock: Clock
  readonly #entries = new Map<PeerId, Entry>()
  #choices = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A peer claims to have committed a height. A claim only rises, because messages can overtake each other. */
  claim(peer: PeerId, height: Height): void {
    const entry = this.#entry(peer)
    if (entry !== undefined && (entry.claim === undefined || height > entry.claim)) entry.claim = height
  }

  /** A peer disconnected. Its score and bench are kept; otherwise it could reset them by reconnecting. */
  down(peer: PeerId): void {
    const entry = this.#entries.get(peer)
    if (entry !== undefined) entry.claim = undefined
  }

  /** The highest height that at least `count` peers claim, not counting benched peers. */
  claimedBy(count: number): Height | undefined {
    const claims: Height[] = []
    for (const entry of this.#entries.values()) if (entry.claim !== undefined && !this.#isBenched(entry)) claims.push(entry.claim)
    return claims.toSorted((a, b) => b - a)[count - 1]
  }

  /** The best peer that claims a height; among equals, the one chosen longest ago. */
  choose(height: Height): PeerId | undefined {
    let best: readonly [PeerId, Entry] | undefined
    for (const candidate of this.#entries) {
      const [, entry] = candidate
      if (entry.claim === undefined || entry.claim < height || this.#isBenched(entry)) continue
      if (best === undefined || this.#isBetter(entry, best[1])) best = candidate
    }
    if (best === undefined) return undefined
    best[1].chosenAt = ++this.#choices
    return best[0]
  }

  succeeded(peer: PeerId): void {
    const entry = this.#entry(peer)
    if (entry === undefined) return
    entry.failures = 0
    this.#rate(entry, 1)
  }

  /**
   * A peer did not deliver what it claimed: its claim is dropped, and it is skipped for a while. `lied`: its answer was wrong, not only
   * late.
   */
  failed(peer: PeerId, lied: boolean): void {
    const entry = this.#entry(peer)
    if (entry === undefined) return
    entry.claim = undefined
    entry.failures++
    const bench = SYNC_LIMITS.benchMsMin * 2 ** Math.min(entry.failures - 1, 30)
    entry.benchedUntilMs = this.#clock.monotonic() + Math.min(bench, SYNC_LIMITS.benchMsMax)
    this.#rate(entry, lied ? SYNC_LIMITS.scoreMin : -4)
  }

  isBenched(peer: PeerId): boolean {
    const entry = this.#entries.get(peer)
    return entry !== undefined && this.#isBenched(entry)
  }

  #isBenched(entry: Entry): boolean {
    return this.#clock.monotonic() < entry.benchedUntilMs
  }

  #isBetter(a: Entry, b: Entry): boolean {
    const [left, right] = [Math.round(this.#score(a)), Math.round(this.#score(b))]
    return left === right ? a.chosenAt < b.chosenAt : left > right
  }

  #score({ score, scoredAtMs }: Entry): number {
    return score * 0.5 ** ((this.#clock.monotonic() - scoredAtMs) / SYNC_LIMITS.scoreHalfLifeMs)
  }

  #rate(entry: Entry, change: number): void {
    entry.score = Math.max(SYNC_LIMITS.scoreMin, Math.min(SYNC_LIMITS.scoreMax, this.#score(entry) + change))
    entry.scoredAtMs = this.#clock.monotonic()
  }

  #entry(peer: PeerId): Entry | undefined {
    const known = this.#entries.get(peer)
    if (known !== undefined) return known
    if (this.#entries.size >= SYNC_LIMITS.peersMax && !this.#forgetOne()) return undefined
    const entry: Entry = {
      claim: undefined,
      score: 0,
      scoredAtMs: this.#clock.monotonic(),
      failures: 0,
      benchedUntilMs: 0,
      chosenAt: 0,
    }
    this.#entries.set(peer, entry)
    return entry
  }

  /** Drops the oldest peer that has no claim and is not benched. */
  #forgetOne(): boolean {
    for (const [peer, entry] of this.#entries) {
      if (entry.claim === undefined && !this.#isBenched(entry)) return this.#entries.delete(peer)
    }
    return false
  }
}
