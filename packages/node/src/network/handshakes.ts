import type { Clock } from '../powers.ts'
import type { NetworkCounters } from './counters.ts'
import type { NetworkLimits } from './limits.ts'

/** An inbound connection whose handshake is not complete. */
export interface Half {
  abort(error: Error): void
  addEventListener(type: 'close', listener: () => void): void
}

interface Place {
  readonly owner: string
  readonly sinceMs: number
}

type HandshakeLimits = Pick<NetworkLimits, 'handshakesPerAddressMax' | 'handshakesCountMax' | 'handshakeYieldMs'>

/**
 * Slots for inbound handshakes, limited per address and in total. A handshake that has held its slot for a while loses it to a new one that
 * finds no free slot: an honest handshake takes less time, and a silent socket must not keep a validator out.
 */
export class Handshakes {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #limits: HandshakeLimits
  readonly #counters: NetworkCounters
  /** In order of their start. */
  readonly #places = new Map<Half, Place>()

  constructor(clock: Pick<Clock, 'monotonic'>, limits: HandshakeLimits, counters: NetworkCounters) {
    this.#clock = clock
    this.#limits = limits
    this.#counters = counters
  }

  get count(): number {
    return this.#places.size
  }

  /**
   * Takes a slot, which is freed when the connection closes or `done` is called.
   * @param owner owner of the address (see `addressOwner`)
   * @returns whether a slot was available
   */
  begin(connection: Half, owner: string): boolean {
    const { handshakesPerAddressMax, handshakesCountMax } = this.#limits
    const isFullFor = this.#counts().get(owner) === handshakesPerAddressMax
    if ((isFullFor || this.#places.size === handshakesCountMax) && !this.#cut(isFullFor ? owner : undefined)) {
      this.#counters.handshakesRefused++
      return false
    }
    this.#places.set(connection, { owner, sinceMs: this.#clock.monotonic() })
    connection.addEventListener('close', () => this.done(connection))
    return true
  }

  /** The handshake is complete. */
  done(connection: Half): void {
    this.#places.delete(connection)
  }

  /**
   * Aborts a handshake older than `handshakeYieldMs`: of this address, or of the address that has the most. Returns whether there was one.
   */
  #cut(owner: string | undefined): boolean {
    const latestMs = this.#clock.monotonic() - this.#limits.handshakeYieldMs
    const counts = this.#counts()
    let oldest: Half | undefined
    let most = 0
    for (const [connection, place] of this.#places) {
      const count = counts.get(place.owner) ?? 0
      if (place.sinceMs > latestMs || (owner ?? place.owner) !== place.owner || count <= most) continue
      oldest = connection
      most = count
    }
    if (oldest === undefined) return false
    this.#places.delete(oldest)
    this.#counters.handshakesCut++
    oldest.abort(new Error('the handshake took too long and its slot was given to another one'))
    return true
  }

  #counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { owner } of this.#places.values()) counts.set(owner, (counts.get(owner) ?? 0) + 1)
    return counts
  }
}
