/** Resolves at the first SIGINT, SIGTERM or disconnect of the parent. A second signal ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = (): void => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('disconnect', onSignal)
      resolve()
    }
    // The parent has already ended, while this process was loading.
    if (process.send !== undefined && !process.connected) return resolve()
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('disconnect', onSignal)
  })
}
