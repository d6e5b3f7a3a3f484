import type { Clock } from './powers.ts'

/** Runs an action again and again, each time `ms` after the last one began; the returned function ends that. */
export function repeat(clock: Pick<Clock, 'after'>, ms: number, action: () => void): () => void {
  let cancel = clock.after(ms, tick)
  function tick(): void {
    cancel = clock.after(ms, tick)
    action()
  }
  return () => cancel()
}
