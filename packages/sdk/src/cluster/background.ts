/** Calls `action` after `ms` unless the returned function is called before. The wait does not keep a Node.js process alive. */
export function inBackground(ms: number, action: () => void): () => void {
  const timer = setTimeout(action, ms)
  const handle: unknown = timer
  // Browsers have a number.
  if (typeof handle === 'object' && handle !== null && 'unref' in handle) (handle as { unref(): void }).unref()
  return () => clearTimeout(timer)
}
