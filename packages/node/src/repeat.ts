import type { Clock } from './powers.ts'

/** Runs an action repeatedly, `ms` after each start of the previous run. Returns a function that stops it. */
export function repeat(clock: Pick<Clock, 'after'>, ms: number, action: () => void): () => void {
  let cancel = clock.after(ms, tick)
  function tick(): void {
    cancel = clock.after(ms, tick)
    action()
  }
  return () => cancel()
}
