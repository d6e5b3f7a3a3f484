import type { PeerId } from '../powers.ts'
import { ENGINE_LIMITS } from './limits.ts'

/**
 * What waits for the engine's loop. The node's own events always find room, for each answers something that the engine asked; messages
 * are bounded in all and by peer.
 */
export class EventQueue<T> {
  readonly #events: { readonly event: T; readonly from: PeerId | undefined }[] = []
  readonly #countOf = new Map<PeerId, number>()
  #messages = 0
  #closed = false
  #wake: () => void = () => {}

  get length(): number {
    return this.#events.length
  }

  push(event: T): void {
    this.#add(event, undefined)
  }

  /** False when the message found no room and was dropped. */
  pushFrom(from: PeerId, event: T): boolean {
    const count = this.#countOf.get(from) ?? 0
    if (count >= ENGINE_LIMITS.eventsPerPeerCountMax || this.#messages >= ENGINE_LIMITS.eventsCountMax) return false
    this.#countOf.set(from, count + 1)
    this.#messages++
    this.#add(event, from)
    return true
  }

  /** At least one event and at most `max`, in order; none once the queue is closed. One caller at a time. */
  async take(max: number): Promise<readonly T[]> {
    while (this.#events.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#closed) return []
    return this.#events.splice(0, max).map(({ event, from }) => {
      if (from !== undefined) this.#release(from)
      return event
    })
  }

  /** Ends the waiting `take`; events that still wait are dropped. */
  close(): void {
    this.#closed = true
    this.#wake()
  }

  #add(event: T, from: PeerId | undefined): void {
    this.#events.push({ event, from })
    this.#wake()
  }

  #release(from: PeerId): void {
    this.#messages--
    const count = this.#countOf.get(from)! - 1
    if (count === 0) this.#countOf.delete(from)
    else this.#countOf.set(from, count)
  }
}
