import type { PeerId } from '../powers.ts'
import { ENGINE_LIMITS } from './limits.ts'

/**
 * Input queue of the engine's loop. The node's own events come first and are never dropped, because each answers a request of the engine.
 * Messages are queued per peer, and peers take turns of one message each, so one peer's flood delays no other peer. Within one peer, small
 * messages (votes, certificates) come before large ones (proposals). Messages are bounded in number and bytes, in total and per peer.
 */
export class EventQueue<T> {
  readonly #own = new Fifo<T>()
  /** Peers with queued messages, in order of their turns. */
  readonly #peers = new Map<PeerId, Lanes<T>>()
  #messages = 0
  #bytes = 0
  #closed = false
  #wake: () => void = () => {}

  get length(): number {
    return this.#own.length + this.#messages
  }

  push(event: T): void {
    this.#own.push(event)
    this.#wake()
  }

  /** Queues a message of this size. Returns false if there was no room and it was dropped. */
  pushFrom(from: PeerId, event: T, bytes: number): boolean {
    const lanes = this.#peers.get(from) ?? new Lanes<T>()
    if (!lanes.hasRoom(bytes)) return false
    if (this.#messages >= ENGINE_LIMITS.eventsCountMax || this.#bytes + bytes > ENGINE_LIMITS.eventsBytesMax) return false
    lanes.push(event, bytes)
    this.#peers.set(from, lanes)
    this.#messages++
    this.#bytes += bytes
    this.#wake()
    return true
  }

  /** Resolves when an event is queued; false once the queue is closed. One caller at a time. */
  async wait(): Promise<boolean> {
    while (this.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return !this.#closed
  }

  /** Takes the next event; undefined if the queue is empty. */
  next(): T | undefined {
    if (this.#closed) return undefined
    return this.#own.shift() ?? this.#nextMessage()
  }

  /** Ends `wait` and drops all queued events. */
  close(): void {
    this.#closed = true
    this.#wake()
  }

  #nextMessage(): T | undefined {
    const { value: turn } = this.#peers.entries().next()
    if (turn === undefined) return undefined
    const [peer, lanes] = turn
    this.#peers.delete(peer)
    const { event, bytes } = lanes.shift()
    if (lanes.count > 0) this.#peers.set(peer, lanes)
    this.#messages--
    this.#bytes -= bytes
    return event
  }
}

interface Waiting<T> {
  readonly event: T
  readonly bytes: number
}

/** Messages of one peer. */
class Lanes<T> {
  readonly #small = new Fifo<Waiting<T>>()
  readonly #large = new Fifo<Waiting<T>>()
  #bytes = 0

  get count(): number {
    return this.#small.length + this.#large.length
  }

  hasRoom(bytes: number): boolean {
    return this.count < ENGINE_LIMITS.eventsPerPeerCountMax && this.#bytes + bytes <= ENGINE_LIMITS.eventsPerPeerBytesMax
  }

  push(event: T, bytes: number): void {
    const lane = bytes <= ENGINE_LIMITS.smallMessageBytesMax ? this.#small : this.#large
    lane.push({ event, bytes })
    this.#bytes += bytes
  }

  /** Call this only if `count` is not 0. */
  shift(): Waiting<T> {
    const waiting = (this.#small.shift() ?? this.#large.shift())!
    this.#bytes -= waiting.bytes
    return waiting
  }
}

class Fifo<T> {
  #items: T[] = []
  #start = 0

  get length(): number {
    return this.#items.length - this.#start
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#start++]
    // Copy only when more than half of the array is consumed: copying on each shift would cost more.
    if (2 * this.#start > this.#items.length) {
      this.#items = this.#items.slice(this.#start)
      this.#start = 0
    }
    return item
  }
}
