import type { Clock } from '../powers.ts'
import type { NetworkLogger } from './logger.ts'

export const REFUSAL_LOG_LIMITS = {
  /** One who keeps coming is named once in this time. */
  intervalMs: 60_000,
  /** Names in this time: whoever comes under ever new names must not fill the log. */
  namesCountMax: 16,
} as const

/** Names those whose connections are refused, each once in a while. */
export class RefusalLog {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #logger: Pick<NetworkLogger, 'warn'>
  readonly #named = new Set<string>()
  #sinceMs = -Infinity
  /** Refusals since `#sinceMs` of others than those that were named. */
  #unnamed = 0

  constructor(clock: Pick<Clock, 'monotonic'>, logger: Pick<NetworkLogger, 'warn'>) {
    this.#clock = clock
    this.#logger = logger
  }

  /** A connection was refused. `who` is a peer id or an IP address, and `why` what an operator should look at. */
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
    if (this.#unnamed > 0) this.#logger.warn({ count: this.#unnamed }, 'connections of others were refused too')
    this.#sinceMs = nowMs
    this.#named.clear()
    this.#unnamed = 0
  }
}
