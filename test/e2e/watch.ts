const INTERVAL_MS = 100
const DEADLINE_MS = 60_000

export interface WatchOptions {
  readonly intervalMs?: number
  /** From the call. Generous, because it only bounds how long a failing test takes. */
  readonly deadlineMs?: number
  /** Text to show when the deadline passes, such as the end of a node's log. */
  readonly report?: () => string
}

/**
 * Calls `look` repeatedly until it returns a value; `look` returns undefined while there is none, and throws if there never will be one.
 * @param what name of the condition in the error
 */
export function watch<T>(what: string, look: () => Promise<T | undefined>, options: WatchOptions = {}): Promise<T> {
  const { intervalMs = INTERVAL_MS, deadlineMs = DEADLINE_MS, report = () => '' } = options
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const tick = (): void => {
      look().then((seen) => {
        if (seen !== undefined) resolve(seen)
        else if (performance.now() - started < deadlineMs) setTimeout(tick, intervalMs)
        else reject(new Error(`${what}: not within ${deadlineMs} ms\n${report()}`))
      }, reject)
    }
    tick()
  })
}

/** `watch` for a condition. */
export async function until(what: string, condition: () => Promise<boolean>, options: WatchOptions = {}): Promise<void> {
  await watch(what, async () => ((await condition()) ? true : undefined), options)
}

/** Resolves when a condition has held without interruption for `durationMs`; rejects as soon as it does not. */
export async function holds(what: string, durationMs: number, condition: () => Promise<boolean>): Promise<void> {
  const started = performance.now()
  await until(
    what,
    async () => {
      if (!(await condition())) throw new Error(`${what}: no longer so after ${Math.round(performance.now() - started)} ms`)
      return performance.now() - started >= durationMs
    },
    { deadlineMs: 10 * durationMs },
  )
}
