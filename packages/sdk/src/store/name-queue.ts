import type { OwnOptions } from './store.ts'

interface Claim {
  readonly start: () => void
  readonly fail: (reason: unknown) => void
}

/** Owners of names within one process, in the order of their calls. */
export class NameQueue {
  readonly #waiting = new Map<string, Claim[]>()
  readonly #owners = new Map<string, AbortController>()

  async own<T>(
    name: string,
    run: (lost: AbortSignal) => Promise<T>,
    { signal, ifAvailable = false }: OwnOptions,
  ): Promise<T | undefined> {
    signal?.throwIfAborted()
    if (this.#owners.has(name)) {
      if (ifAvailable) return undefined
      await this.#wait(name, signal)
    }
    const lost = new AbortController()
    this.#owners.set(name, lost)
    try {
      return await run(lost.signal)
    } finally {
      this.#owners.delete(name)
      this.#waiting.get(name)?.[0]?.start()
    }
  }

  /** Ends all waits and takes all names away. */
  close(reason: unknown): void {
    for (const claims of [...this.#waiting.values()]) for (const { fail } of [...claims]) fail(reason)
    for (const owner of this.#owners.values()) owner.abort(reason)
  }

  #wait(name: string, signal: AbortSignal | undefined): Promise<void> {
    const claims = this.#waiting.get(name) ?? []
    this.#waiting.set(name, claims)
    return new Promise<void>((resolve, reject) => {
      const leave = () => {
        claims.splice(claims.indexOf(claim), 1)
        if (claims.length === 0) this.#waiting.delete(name)
        signal?.removeEventListener('abort', abort)
      }
      // The name is taken in the same turn, so that no call comes between.
      const claim: Claim = {
        start: () => {
          leave()
          this.#owners.set(name, new AbortController())
          resolve()
        },
        fail: (reason) => {
          leave()
          reject(reason)
        },
      }
      const abort = () => claim.fail(signal!.reason)
      signal?.addEventListener('abort', abort)
      claims.push(claim)
    })
  }
}
