/** Lets any number of waiters sleep until something happens. A waiter must check for it first, in the same turn. */
export class Wake {
  readonly #waiters = new Set<() => void>()

  wake(): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const resume of waiters) resume()
  }

  /** Resolves at the next `wake`, or when the signal is aborted. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const resume = () => {
        this.#waiters.delete(resume)
        signal.removeEventListener('abort', resume)
        resolve()
      }
      this.#waiters.add(resume)
      signal.addEventListener('abort', resume, { once: true })
    })
  }
}
