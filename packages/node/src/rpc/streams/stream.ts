import type { Sink } from '../hub.ts'
import type { RpcLimits } from '../limits.ts'
import type { Position } from './position.ts'

type WindowLimits = Pick<RpcLimits, 'streamWindowMax' | 'streamBeatMs' | 'streamStallMs'>

/** Why the node closes a stream. */
export type CloseReason = 'slow-reader' | 'cursor-unknown' | 'failed' | 'not-permitted'

/**
 * A subscriber over WebSocket: its position, and where its unacknowledged batches began. A batch is made when it is sent, so a client that
 * does not acknowledge costs no memory.
 */
export class Stream {
  readonly id: string
  readonly sink: Sink
  /** Position of the next batch. */
  position: Position
  /** A batch for it is being made, or it waits for one. */
  isBusy = false
  isEnded = false
  /** The client knows its id. */
  isBegun = false
  readonly #limits: WindowLimits
  /** Where the unacknowledged batches began, oldest first. */
  readonly #window: Position[] = []
  /** Number of the last batch with items. */
  #sequence = 0
  /** Time of the last message, and of the last acknowledgement that advanced (or of the first batch after which one is due). */
  #sentMs: number
  #progressMs: number

  constructor(id: string, sink: Sink, position: Position, limits: WindowLimits, nowMs: number) {
    this.id = id
    this.sink = sink
    this.position = position
    this.#limits = limits
    this.#sentMs = nowMs
    this.#progressMs = nowMs
  }

  /** The position up to which the client has acknowledged everything. */
  get acknowledged(): Position {
    return this.#window[0] ?? this.position
  }

  /** Whether it may get another batch with items. */
  get isOpen(): boolean {
    return this.#window.length < this.#limits.streamWindowMax && !this.sink.isFull
  }

  isBeatDue(nowMs: number): boolean {
    return nowMs - this.#sentMs >= this.#limits.streamBeatMs && !this.sink.isFull
  }

  isStalled(nowMs: number): boolean {
    return this.#window.length > 0 && nowMs - this.#progressMs >= this.#limits.streamStallMs
  }

  /** Sends a batch with items, given as the members of its JSON object. */
  sendBatch(text: string, next: Position, nowMs: number): void {
    if (this.#window.length === 0) this.#progressMs = nowMs
    this.#window.push(this.position)
    this.position = next
    this.#send(`"result":{"sequence":${++this.#sequence},${text}}`, nowMs)
  }

  /** Sends an empty batch. */
  sendBeat(text: string, nowMs: number): void {
    this.#send(`"result":{${text}}`, nowMs)
  }

  sendClose(reason: CloseReason, message: string, cursor: string | null, nowMs: number): void {
    this.#send(`"closed":${JSON.stringify({ reason, message, cursor })}`, nowMs)
  }

  #send(member: string, nowMs: number): void {
    this.#sentMs = nowMs
    this.sink.send(`{"jsonrpc":"2.0","method":"quoin_subscription","params":{"subscription":"${this.id}",${member}}}`)
  }

  /** Acknowledges all batches up to a number. Returns the number of the last batch if there is no batch with this number yet. */
  acknowledge(sequence: number, nowMs: number): number | undefined {
    if (sequence > this.#sequence) return this.#sequence
    const count = sequence - (this.#sequence - this.#window.length)
    if (count <= 0) return undefined
    this.#window.splice(0, count)
    this.#progressMs = nowMs
    return undefined
  }
}
