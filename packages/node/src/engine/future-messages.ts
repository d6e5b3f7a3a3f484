import type { Height } from '@quoin/protocol'
import type { PeerId } from '../powers.ts'
import { ENGINE_LIMITS } from './limits.ts'

export interface FutureMessage {
  readonly from: PeerId
  readonly height: Height
  readonly bytes: Uint8Array
  /** When it arrived, wall-clock milliseconds. */
  readonly receivedMs: number
}

/**
 * Messages whose height has not begun here. Their signatures cannot be checked yet, so room is bounded by peer as well as in all; where it is
 * short, the highest height goes first, for the next height is the one that will be needed.
 */
export class FutureMessages {
  #messages: FutureMessage[] = []
  #bytes = 0

  get count(): number {
    return this.#messages.length
  }

  add(message: FutureMessage): void {
    this.#messages.push(message)
    this.#bytes += message.bytes.length
    const own = this.#messages.filter(({ from }) => from === message.from)
    if (own.length > ENGINE_LIMITS.futureMessagesPerPeerCountMax) this.#evict(highest(own))
    while (this.count > ENGINE_LIMITS.futureMessagesCountMax || this.#bytes > ENGINE_LIMITS.futureMessagesBytesMax) {
      this.#evict(highest(this.#messages))
    }
  }

  /** Takes the messages of a height, in the order in which they came, and drops those below it. */
  take(height: Height): readonly FutureMessage[] {
    const taken = this.#messages.filter((message) => message.height === height)
    this.#messages = this.#messages.filter((message) => message.height > height)
    this.#bytes = this.#messages.reduce((sum, { bytes }) => sum + bytes.length, 0)
    return taken
  }

  #evict(message: FutureMessage): void {
    this.#messages.splice(this.#messages.indexOf(message), 1)
    this.#bytes -= message.bytes.length
  }
}

/** The last to come among those of the highest height. */
const highest = (messages: readonly FutureMessage[]): FutureMessage =>
  messages.reduce((chosen, message) => (message.height >= chosen.height ? message : chosen))
