import type { Clock } from '../powers.ts'
import type { NetworkCounters } from './counters.ts'
import type { NetworkLimits } from './limits.ts'

/** An inbound connection that has not proved who it is. */
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
 * Places for handshakes: some for each address, so many for all. One that has held its place for a while loses it to a newcomer that finds none:
 * an honest handshake takes less, and a socket that says nothing must not keep a validator out.
 */
export class Handshakes {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #limits: HandshakeLimits
  readonly #counters: NetworkCounters
  /** In the order in which they began. */
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
   * Takes a place, which is free again when the connection is closed or `done`.
   *
   * @param owner whoever has the address (see `addressOwner`)
   * @returns whether there was one
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

  /** The handshake is over. */
  done(connection: Half): void {
    this.#places.delete(connection)
  }

  /**
   * Ends a handshake that is no longer young, of this address or of the one that has the most of them. Says whether there was one.
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
    oldest.abort(new Error('the handshake gave its place to another one'))
    return true
  }

  #counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { owner } of this.#places.values()) counts.set(owner, (counts.get(owner) ?? 0) + 1)
    return counts
  }
}
