import { backoffMs } from '../backoff.ts'

/** Events of a page after which a connection may be dead, or alive again: a laptop woke up, the network is back. */
const WAKING = ['online', 'pageshow', 'visibilitychange'] as const

interface Listening {
  addEventListener(name: string, listener: () => void): void
  removeEventListener(name: string, listener: () => void): void
}

/** What of a browser's page is used; Node.js has none of it. */
interface Page extends Partial<Listening> {
  readonly document?: Listening & { readonly visibilityState?: string }
}

/** Calls `listener` when the page wakes, until the returned function is called. Without a page there is nothing to listen to. */
export function onWake(listener: () => void): () => void {
  const page = globalThis as unknown as Page
  const { document } = page
  if (page.addEventListener === undefined || document === undefined) return () => {}
  const targetOf = (name: (typeof WAKING)[number]): Listening => (name === 'visibilitychange' ? document : (page as Listening))
  const heard = (): void => {
    if (document.visibilityState !== 'hidden') listener()
  }
  for (const name of WAKING) targetOf(name).addEventListener(name, heard)
  return () => {
    for (const name of WAKING) targetOf(name).removeEventListener(name, heard)
  }
}

/** Waits for a time, or until the page wakes. Rejects with the reason of `signal` when it is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const end = (): void => {
      clearTimeout(timer)
      stopListening()
      signal.removeEventListener('abort', onAbort)
    }
    const wake = (): void => {
      end()
      resolve()
    }
    const onAbort = (): void => {
      end()
      reject(signal.reason)
    }
    const timer = setTimeout(wake, ms)
    const stopListening = onWake(wake)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** The longest pause between two attempts, and the first one, in milliseconds. */
export const PAUSE = { firstMs: 250, maxMs: 5_000 } as const

/** A random pause that grows with the failures in a row, so that clients which lost the same node do not come back at once. */
export const pauseAfter = (failures: number): number => backoffMs(failures, PAUSE.firstMs, PAUSE.maxMs)
