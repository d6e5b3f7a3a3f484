/** Runs an action, then again each interval after the last one ended, until the signal. */
export function everyInterval(intervalMs: number, signal: AbortSignal, action: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    const tick = (): void => {
      action().then(() => {
        if (signal.aborted) resolve()
        else timer = setTimeout(tick, intervalMs)
      }, reject)
    }
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
    if (signal.aborted) resolve()
    else tick()
  })
}
