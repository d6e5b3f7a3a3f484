import type { Client } from '../fair-queue.ts'
import type { Clock } from '../powers.ts'

export const CALL_USAGE_LIMITS = {
  /** Half-life of recorded use. */
  halfLifeMs: 10_000,
  /** A client with more recent thread time than this has to wait for clients with less. */
  lightMsMax: 1_000,
  /** Maximum number of remembered keys (addresses and connections), the most recent ones. */
  clientsMax: 4_096,
} as const

interface Use {
  ms: number
  atMs: number
}

/** Recent thread time of each address and each connection, decaying exponentially. */
export class CallUsage {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Least recently used first. */
  readonly #uses = new Map<string | number, Use>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  add({ remote, connection }: Client, ms: number): void {
    this.#add(remote, ms)
    this.#add(connection, ms)
  }

  /** Priority, 0 first. 0: address and connection used little. 1: only the connection did. 2: the connection used much. */
  rankOf({ remote, connection }: Client): 0 | 1 | 2 {
    if (!this.#isLight(connection)) return 2
    return this.#isLight(remote) ? 0 : 1
  }

  #isLight(key: string | number): boolean {
    const use = this.#uses.get(key)
    return use === undefined || this.#now(use) <= CALL_USAGE_LIMITS.lightMsMax
  }

  #now({ ms, atMs }: Use): number {
    return ms * 0.5 ** ((this.#clock.monotonic() - atMs) / CALL_USAGE_LIMITS.halfLifeMs)
  }

  #add(key: string | number, ms: number): void {
    const use = this.#uses.get(key)
    this.#uses.delete(key)
    this.#uses.set(key, { ms: (use === undefined ? 0 : this.#now(use)) + ms, atMs: this.#clock.monotonic() })
    for (const oldest of this.#uses.keys()) {
      if (this.#uses.size <= CALL_USAGE_LIMITS.clientsMax) break
      this.#uses.delete(oldest)
    }
  }
}
