import { setMaxListeners } from 'node:events'

/**
 * Rule of this package: code that starts something also stops it and waits for it. A `Scope` owns closable resources and running loops.
 * Closing it aborts its signal, then closes and awaits everything it owns, last in, first out.
 */

export interface Closable {
  close(): void | Promise<void>
}

/** Called for each loop that ended with an error while its scope was open. Must not throw. */
export type OnFailure = (error: unknown, name: string) => void

interface Owned {
  close(): void | Promise<void>
}

/** Owns resources and loops, and closes them in reverse order. */
export class Scope implements Closable {
  readonly #onFailure: OnFailure
  readonly #controller = new AbortController()
  readonly #owned: Owned[] = []
  #closing = false
  #closed: Promise<void> | undefined

  constructor(onFailure: OnFailure) {
    this.#onFailure = onFailure
    // One listener per running loop is normal; Node warns of a leak above ten.
    setMaxListeners(0, this.#controller.signal)
  }

  /** Aborted when closing begins. Loops must then return; waits and requests must be abandoned. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Takes ownership of a resource. It is closed before everything that was owned earlier. Throws if the scope is closing. */
  own<T extends Closable>(resource: T): T {
    this.#assertOpen()
    this.#owned.push(resource)
    return resource
  }

  /**
   * Runs a loop until it returns. It must return soon after its signal is aborted, or reject with the signal's reason. Any other
   * rejection goes to `onFailure` or, while the scope is closing, to the caller of `close`.
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
   * Closes everything, even if some of it fails. Every call returns the same promise. Rejects with the error, or with an AggregateError
   * if there are several.
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

/** Runs asynchronous jobs one after another, in the order of the calls to `run`. */
export class Sequencer {
  #last: Promise<unknown> = Promise.resolve()

  /** Queues a job and settles as it does. A failed job does not stop the next one. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job, job)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when every job queued so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
