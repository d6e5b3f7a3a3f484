import type { Clock } from '../powers.ts'
import type { Probes } from './probes.ts'

/** Maximum age of a cached answer to a probe. */
export const PROBE_AGE_MS = 250

/** Shares one pending call among all callers and caches its answer for `PROBE_AGE_MS`. A failure is not cached. */
function kept<T>(ask: () => Promise<T>, clock: Pick<Clock, 'monotonic'>): () => Promise<T> {
  let asking: Promise<T> | undefined
  let answer: { readonly value: T; readonly untilMs: number } | undefined
  const renew = async (): Promise<T> => {
    try {
      const value = await ask()
      answer = { value, untilMs: clock.monotonic() + PROBE_AGE_MS }
      return value
    } finally {
      asking = undefined
    }
  }
  return async () => {
    if (answer !== undefined && clock.monotonic() < answer.untilMs) return answer.value
    asking ??= renew()
    return asking
  }
}

/** Caches the probes of a node in another thread: each is asked at most once in `PROBE_AGE_MS`, however many clients call. */
export const keptProbes = ({ live, ready, metrics }: Probes, clock: Pick<Clock, 'monotonic'>): Probes => ({
  live: kept(live, clock),
  ready: kept(ready, clock),
  metrics: kept(metrics, clock),
})
