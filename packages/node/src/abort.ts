import { setMaxListeners } from 'node:events'
import type { Clock } from './powers.ts'
import { systemClock } from './system-clock.ts'

/** A signal derived from others. Its maker calls `unlink` when the work is over, which removes the listeners from the sources. */
export interface Link {
  readonly signal: AbortSignal
  readonly unlink: () => void
}

/**
 * Makes a signal that aborts with the first of several. The sources keep it alive until `unlink`. `AbortSignal.any` over
 * `AbortSignal.timeout` is not used: in Node.js 20 the first garbage collection collects it, and then what waits for it never ends.
 */
export function linkSignals(...sources: readonly AbortSignal[]): Link {
  const controller = new AbortController()
  const abort = () => controller.abort(sources.find(({ aborted }) => aborted)?.reason)
  // One listener per piece of work is normal here, not a leak: turn off Node's warning.
  if (sources.length > 0) setMaxListeners(0, ...sources)
  for (const source of sources) source.addEventListener('abort', abort)
  if (sources.some(({ aborted }) => aborted)) abort()
  return {
    signal: controller.signal,
    unlink: () => {
      for (const source of sources) source.removeEventListener('abort', abort)
    },
  }
}

/** As `linkSignals`, but also aborts after `ms` with an error. `clock` defaults to the clock of the process. */
export function linkDeadline(ms: number, sources: readonly AbortSignal[], clock: Pick<Clock, 'after'> = systemClock): Link {
  const late = new AbortController()
  const cancel = clock.after(ms, () => late.abort(new Error(`timed out after ${ms} ms`)))
  const { signal, unlink } = linkSignals(late.signal, ...sources)
  return {
    signal,
    unlink: () => {
      cancel()
      unlink()
    },
  }
}

/** Resolves after `ms`, or as soon as the signal is aborted. Never rejects. */
export function pause(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal?.addEventListener('abort', done)
    if (signal?.aborted === true) done()
  })
}

/** An async iteration with a linked signal. The signal is unlinked at the end, or when the consumer stops. */
export async function* eachUnder<T>(
  { signal, unlink }: Link,
  work: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T> {
  try {
    yield* work(signal)
  } finally {
    unlink()
  }
}
