interface Request {
  readonly grant: () => void
}

/** Web Locks as a browser has them, as far as stores use them: Node.js 20 has none. */
export class WebLocks {
  readonly #queues = new Map<string, Request[]>()
  readonly #holders = new Map<string, (reason: unknown) => void>()

  async request(name: string, options: LockOptions, run: (lock: Lock | null) => unknown): Promise<unknown> {
    options.signal?.throwIfAborted()
    if (this.#holders.has(name)) {
      if (options.ifAvailable === true) return run(null)
      await this.#wait(name, options.signal)
    }
    return new Promise((resolve, reject) => {
      this.#holders.set(name, reject)
      void Promise.resolve(run({ name, mode: 'exclusive' }))
        .then(resolve, reject)
        .finally(() => this.#release(name, reject))
    })
  }

  /** Takes a lock away, as another tab's `steal` does. */
  steal(name: string): void {
    const reject = this.#holders.get(name)!
    reject(new DOMException('the lock was stolen', 'AbortError'))
    this.#release(name, reject)
  }

  #release(name: string, holder: (reason: unknown) => void): void {
    if (this.#holders.get(name) !== holder) return
    this.#holders.delete(name)
    this.#queues.get(name)?.shift()?.grant()
  }

  #wait(name: string, signal: AbortSignal | undefined): Promise<void> {
    const queue = this.#queues.get(name) ?? []
    this.#queues.set(name, queue)
    return new Promise((resolve, reject) => {
      const request: Request = {
        grant: () => {
          this.#holders.set(name, () => undefined)
          resolve()
        },
      }
      signal?.addEventListener('abort', () => {
        if (queue.includes(request)) queue.splice(queue.indexOf(request), 1)
        reject(signal.reason)
      })
      queue.push(request)
    })
  }
}
