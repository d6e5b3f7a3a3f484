import { setMaxListeners } from 'node:events'

/**
 * Whoever starts something stops it and waits for it. A `Scope` owns closable resources and running loops; closing it aborts its
 * signal, then closes and awaits everything it owns, last in, first out.
 */

export interface Closable {
  close(): void | Promise<void>
}

/** Told of each loop that ended by an error while its scope was open. It must not throw. */
export type OnFailure = (error: unknown, name: string) => void

interface Owned {
  close(): void | Promise<void>
}

export class Scope implements Closable {
  readonly #onFailure: OnFailure
  readonly #controller = new AbortController()
  readonly #owned: Owned[] = []
  #closing = false
  #closed: Promise<void> | undefined

  constructor(onFailure: OnFailure) {
    this.#onFailure = onFailure
    // As many tasks listen as are running: Node would take more than ten for a leak.
    setMaxListeners(0, this.#controller.signal)
  }

  /** Aborted when closing begins: loops return, waits end, requests are given up. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Takes over a resource: it is closed before everything that was owned earlier. Throws when the scope is closing. */
  own<T extends Closable>(resource: T): T {
    this.#assertOpen()
    this.#owned.push(resource)
    return resource
  }

  /**
   * Runs a loop until it returns; it must do so soon after its signal is aborted, and may do so by rejecting with the signal's reason.
   * Any other rejection goes to `onFailure`, or, when the scope is closing, to the caller of `close`.
   */
  spawn(name: string, loop: (signal: AbortSignal) => Promise<void>): void {
    this.#assertOpen()
    const run: Owned = { close: () => ended }
    const ended = loop(this.signal)
      .catch((error: unknown) => {
        if (this.signal.aborted && error === this.signal.reason) return
        if (this.#closing) throw error
        this.#onFailure(error, name)
      })
      .finally(() => {
        const at = this.#owned.indexOf(run)
        if (!this.#closing && at >= 0) this.#owned.splice(at, 1)
      })
    this.#owned.push(run)
  }

  /**
   * Closes everything, even when some of it fails; every call gets the same promise. Rejects with the one error, or with an
   * AggregateError of several.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing = true
    this.#controller.abort()
    const errors: unknown[] = []
    for (let resource = this.#owned.pop(); resource !== undefined; resource = this.#owned.pop()) {
      try {
        await resource.close()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} resources failed to close`)
  }

  #assertOpen(): void {
    if (this.#closing) throw new Error('the scope is closed')
  }
}

/** Runs asynchronous jobs one after another, in the order in which they were handed over. */
export class Sequencer {
  #last: Promise<unknown> = Promise.resolve()

  /** Settles as the job does. A job that fails does not keep the next from running. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job, job)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when every job handed over so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
