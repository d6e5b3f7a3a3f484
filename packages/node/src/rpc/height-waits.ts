import type { Height } from '@quoin/protocol'
import type { Awaitable } from '../awaitable.ts'
import type { Clock } from '../powers.ts'

/** Ends a wait: true if the height is there. */
type Done = (isReached: boolean) => void

/** Requests that wait for the head to reach a height. A block costs only as much as requests wait for its own height. */
export class HeightWaits {
  readonly #head: () => Height
  readonly #clock: Pick<Clock, 'after'>
  readonly #blocksMax: number
  readonly #waiting = new Map<number, Set<Done>>()

  /** @param blocksMax - How far the head may be below a height that is waited for. */
  constructor(head: () => Height, clock: Pick<Clock, 'after'>, blocksMax: number) {
    this.#head = head
    this.#clock = clock
    this.#blocksMax = blocksMax
  }

  /** Height of the head. */
  get head(): Height {
    return this.#head()
  }

  /** Number of heights that are waited for. */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * Waits until the head has a height: true, at once if it is there. False if it is too far above the head, or not there after `ms()`, or
   * if the signal is aborted. Both arguments are asked only for a wait.
   */
  reach(height: number, ms: () => number, signal: () => AbortSignal): Awaitable<boolean> {
    const head = this.#head()
    if (height <= head) return true
    return height - head > this.#blocksMax ? false : this.#wait(height, ms(), signal())
  }

  #wait(height: number, ms: number, signal: AbortSignal): Awaitable<boolean> {
    if (ms <= 0 || signal.aborted) return false
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(height) ?? new Set()
      this.#waiting.set(height, waiting)
      const done: Done = (isReached) => {
        cancel()
        signal.removeEventListener('abort', giveUp)
        waiting.delete(done)
        if (waiting.size === 0) this.#waiting.delete(height)
        resolve(isReached)
      }
      const giveUp = (): void => done(false)
      const cancel = this.#clock.after(ms, giveUp)
      waiting.add(done)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  onBlock(height: Height): void {
    for (const done of [...(this.#waiting.get(height) ?? [])]) done(true)
  }

  close(): void {
    for (const waiting of [...this.#waiting.values()]) for (const done of [...waiting]) done(false)
  }
}
