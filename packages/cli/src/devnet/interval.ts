/** Runs an action at once and again `intervalMs` after each run has ended, until the signal is aborted. Rejects if a run fails. */
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
