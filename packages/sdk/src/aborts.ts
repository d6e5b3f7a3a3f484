import { toError } from './errors.ts'

/** Waits; rejects with the reason of the signal. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(toError(signal?.reason))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

/** A signal that can be aborted, and that aborts with another one, for the same reason, until `unlink`. */
export interface LinkedController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
  unlink(): void
}

/** Makes a controller that follows a signal. */
export function follow(source: AbortSignal | undefined): LinkedController {
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(source?.reason)
  source?.addEventListener('abort', onAbort, { once: true })
  if (source?.aborted === true) onAbort()
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => source?.removeEventListener('abort', onAbort),
  }
}

/** A promise that rejects with the reason of the signal, if that comes first. What the promise stands for goes on. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  let abort = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(toError(signal.reason))
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
