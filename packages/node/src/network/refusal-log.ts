import type { Clock } from '../powers.ts'
import type { NetworkLogger } from './logger.ts'

/** Limits of the log of refused connections. */
export const REFUSAL_LOG_LIMITS = {
  /** A refused peer or address is logged once per interval. */
  intervalMs: 60_000,
  /** Names logged per interval, so that an attacker with ever new names cannot fill the log. */
  namesCountMax: 16,
} as const

/** Logs refused connections, each peer or address once per interval. */
export class RefusalLog {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #logger: Pick<NetworkLogger, 'warn'>
  readonly #named = new Set<string>()
  #sinceMs = -Infinity
  /** Refusals since `#sinceMs` that were not logged by name. */
  #unnamed = 0

  constructor(clock: Pick<Clock, 'monotonic'>, logger: Pick<NetworkLogger, 'warn'>) {
    this.#clock = clock
    this.#logger = logger
  }

  /** Logs a refused connection. `who` is a peer id or an IP address; `why` tells the operator what to look at. */
  refused(who: string, why: string): void {
    const nowMs = this.#clock.monotonic()
    if (nowMs - this.#sinceMs >= REFUSAL_LOG_LIMITS.intervalMs) this.#startOver(nowMs)
    if (this.#named.has(who)) return
    if (this.#named.size >= REFUSAL_LOG_LIMITS.namesCountMax) {
      this.#unnamed++
      return
    }
    this.#named.add(who)
    this.#logger.warn({ who }, `connection refused: ${why}`)
  }

  #startOver(nowMs: number): void {
    if (this.#unnamed > 0) this.#logger.warn({ count: this.#unnamed }, 'further connections were refused')
    this.#sinceMs = nowMs
    this.#named.clear()
    this.#unnamed = 0
  }
}
