/** A semaphore: a fixed number of slots, and a bounded queue of waiters. */
export class Slots {
  readonly #waitingCountMax: number
  #free: number
  /** In order of arrival; each gets the next slot that is released. */
  readonly #waiting = new Set<() => void>()

  constructor(countMax: number, waitingCountMax: number) {
    this.#free = countMax
    this.#waitingCountMax = waitingCountMax
  }

  /** Resolves with a function that releases the slot; undefined if the queue is full. Rejects with the signal's reason. */
  acquire(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve(this.#releaser())
    }
    if (this.#waiting.size >= this.#waitingCountMax) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const onTurn = () => {
        signal.removeEventListener('abort', onAbort)
        resolve(this.#releaser())
      }
      const onAbort = () => {
        this.#waiting.delete(onTurn)
        reject(signal.reason)
      }
      this.#waiting.add(onTurn)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #releaser(): () => void {
    let held = true
    return () => {
      if (!held) return
      held = false
      const [next] = this.#waiting
      if (next === undefined) {
        this.#free++
        return
      }
      this.#waiting.delete(next)
      next()
    }
  }
}
