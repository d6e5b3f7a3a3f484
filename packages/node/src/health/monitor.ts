import type { Closable } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import type { Clock } from '../powers.ts'
import { repeat } from '../repeat.ts'
import { CONDITIONS, type Condition, type ConditionCode, type ConditionSource } from './conditions.ts'
import { type Ending, endingOf } from './ending.ts'

export const MONITOR_LIMITS = {
  /** Interval between checks of the conditions for the log. */
  intervalMs: 1_000,
  /** A condition is logged once it has lasted this long, so that a restarting peer or a block on its way is not logged. */
  holdMs: 5_000,
  /** A condition that lasts is logged again this often. */
  repeatMs: 600_000,
} as const

/** The answer to a probe. */
export interface HealthReport {
  readonly isOk: boolean
  readonly body: Readonly<Record<string, unknown>>
}

interface Lasting {
  readonly sinceMs: number
  loggedMs: number | undefined
}

/**
 * Health of the node: asks its sources for conditions, keeps the first fatal error, answers probes, and logs each condition when it
 * starts and when it ends.
 */
export class HealthMonitor implements Closable {
  /** Resolves when the node cannot continue. */
  readonly ended: Promise<Ending>
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #logger: Pick<Logger, 'info' | 'warn'>
  readonly #sources: ConditionSource[] = []
  readonly #lasting = new Map<ConditionCode, Lasting>()
  readonly #resolve: (ending: Ending) => void
  #ending: Ending | undefined
  readonly #cancel: () => void

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>, logger: Pick<Logger, 'info' | 'warn'>) {
    this.#clock = clock
    this.#logger = logger
    let settle: (ending: Ending) => void = () => {}
    this.ended = new Promise((resolve) => {
      settle = resolve
    })
    this.#resolve = settle
    this.#cancel = repeat(clock, MONITOR_LIMITS.intervalMs, () => this.#look())
  }

  /** Adds a source of conditions. */
  watch(source: ConditionSource): void {
    this.#sources.push(source)
  }

  /** Records a fatal error. Only the first one counts, because later ones are its consequences. */
  fail(error: unknown): void {
    if (this.#ending !== undefined) return
    this.#ending = endingOf(error)
    this.#resolve(this.#ending)
  }

  get ending(): Ending | undefined {
    return this.#ending
  }

  /** Why the node accepts no transactions; undefined while it does. */
  get transactionRefusal(): string | undefined {
    if (this.#ending === undefined) return undefined
    return `this node accepts no transactions, because it has stopped (${this.#ending.code}): send the transaction to another node`
  }

  conditions(): readonly Condition[] {
    const fatal = this.#ending === undefined ? [] : [this.#ending]
    return [...fatal, ...this.#sources.flatMap((source) => source())]
  }

  /** Whether the process works; if not, it must be restarted or stopped. */
  live(): HealthReport {
    const reason = this.#ending
    return reason === undefined ? { isOk: true, body: { status: 'ok' } } : { isOk: false, body: { status: 'failed', reason } }
  }

  /** Whether the node should be sent requests. */
  ready(): HealthReport {
    const conditions = this.conditions()
    const reasons = conditions.filter(({ code }) => CONDITIONS[code] !== 'warning')
    const warnings = conditions.filter(({ code }) => CONDITIONS[code] === 'warning')
    const isOk = reasons.length === 0
    return { isOk, body: { ready: isOk, reasons, warnings } }
  }

  /** Every condition as a gauge of 0 or 1, by its name on `/metrics`. */
  metrics(): Readonly<Record<string, number>> {
    const present = new Set(this.conditions().map(({ code }) => code))
    const gauges: Record<string, number> = { ready: 1 }
    for (const [code, severity] of Object.entries(CONDITIONS)) {
      const isPresent = present.has(code as ConditionCode)
      if (isPresent && severity !== 'warning') gauges['ready'] = 0
      gauges[`${severity === 'fatal' ? 'halted' : severity}{reason="${code}"}`] = isPresent ? 1 : 0
    }
    return gauges
  }

  close(): void {
    this.#cancel()
  }

  /** Does not log the fatal error, which was logged when it happened. */
  #look(): void {
    const nowMs = this.#clock.monotonic()
    const present = this.#sources.flatMap((source) => source())
    for (const { code, message } of present) {
      const known = this.#lasting.get(code) ?? { sinceMs: nowMs, loggedMs: undefined }
      this.#lasting.set(code, known)
      const isDue =
        known.loggedMs === undefined
          ? nowMs - known.sinceMs >= MONITOR_LIMITS.holdMs
          : nowMs - known.loggedMs >= MONITOR_LIMITS.repeatMs
      if (!isDue) continue
      known.loggedMs = nowMs
      this.#logger.warn({ condition: code }, message)
    }
    for (const [code, { sinceMs, loggedMs }] of this.#lasting) {
      if (present.some((condition) => condition.code === code)) continue
      this.#lasting.delete(code)
      if (loggedMs !== undefined)
        this.#logger.info({ condition: code, lastedMs: Math.round(nowMs - sinceMs) }, 'the condition is over')
    }
  }
}
