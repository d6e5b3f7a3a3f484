import type { Clock } from '../powers.ts'
import type { Probes } from './probes.ts'

/** How old an answer to a probe may be. */
export const PROBE_AGE_MS = 250

/** One question at a time, however many ask it; they get the same answer, and so do those who come soon after. A failure is not kept. */
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

/** Probes of a node that is some way off: whatever clients do, it is asked each of them once in PROBE_AGE_MS. */
export const keptProbes = ({ live, ready, metrics }: Probes, clock: Pick<Clock, 'monotonic'>): Probes => ({
  live: kept(live, clock),
  ready: kept(ready, clock),
  metrics: kept(metrics, clock),
})
