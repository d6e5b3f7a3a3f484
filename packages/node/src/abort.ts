/** A signal that is aborted with the first of several, and the way to let go of them again. (`AbortSignal.any` may be collected too early.) */
export function linkSignals(...sources: readonly AbortSignal[]): { readonly signal: AbortSignal; readonly unlink: () => void } {
  const controller = new AbortController()
  const abort = () => controller.abort(sources.find(({ aborted }) => aborted)?.reason)
  for (const source of sources) source.addEventListener('abort', abort)
  if (sources.some(({ aborted }) => aborted)) abort()
  return {
    signal: controller.signal,
    unlink: () => {
      for (const source of sources) source.removeEventListener('abort', abort)
    },
  }
}
