import { setMaxListeners } from 'node:events'
import type { Clock } from './powers.ts'
import { systemClock } from './system-clock.ts'

/** A signal made of others, and the way to let go of them again: whoever makes one releases it when its work is over. */
export interface Link {
  readonly signal: AbortSignal
  readonly unlink: () => void
}

/**
 * A signal that is aborted with the first of several. They hold it until `unlink`; what `AbortSignal.any` and `AbortSignal.timeout` make together, the first
 * garbage collection of Node.js 20 takes away, and then nothing ends what waits for it.
 */
export function linkSignals(...sources: readonly AbortSignal[]): Link {
  const controller = new AbortController()
  const abort = () => controller.abort(sources.find(({ aborted }) => aborted)?.reason)
  // As many links as there is work; each is released with it.
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

/** The same, aborted after `ms` at the latest. `clock` is that of the process unless given. */
export function linkDeadline(ms: number, sources: readonly AbortSignal[], clock: Pick<Clock, 'after'> = systemClock): Link {
  const late = new AbortController()
  const cancel = clock.after(ms, () => late.abort(new Error(`not done within ${ms} ms`)))
  const { signal, unlink } = linkSignals(late.signal, ...sources)
  return {
    signal,
    unlink: () => {
      cancel()
      unlink()
    },
  }
}

/** Resolves after `ms`, or when the signal is aborted. */
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

/** What comes one by one under a linked signal, which is released at the end or when nobody wants more. */
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
