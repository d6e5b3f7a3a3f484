/** One abort for many listeners: an AbortSignal with more than ten makes Node.js warn of a leak. */
export class Closing {
  readonly #listeners = new Set<(reason: unknown) => void>()
  #ended: { readonly reason: unknown } | undefined

  constructor(signal: AbortSignal) {
    const abort = (): void => {
      this.#ended = { reason: signal.reason }
      for (const listener of [...this.#listeners]) listener(signal.reason)
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  }

  throwIfAborted(): void {
    if (this.#ended !== undefined) throw this.#ended.reason
  }

  /** Until the returned function is called. */
  listen(listener: (reason: unknown) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

/** Lets so many pieces of work run at the same time. */
export class Limiter {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(max: number) {
    this.#free = max
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
