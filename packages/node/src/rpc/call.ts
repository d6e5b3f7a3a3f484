import { setMaxListeners } from 'node:events'
import { type Link, linkDeadline } from '../abort.ts'
import type { Client } from '../fair-queue.ts'
import type { Clock } from '../powers.ts'
import type { RpcLimits } from './limits.ts'
import type { CallContext, Connection, Identity } from './method.ts'
import type { Shared } from './shared.ts'

export interface CallOptions {
  readonly identity: Identity
  readonly limits: RpcLimits
  readonly shared: Shared
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  /** Aborted when no client waits for the answer any more. */
  readonly abandoned: readonly AbortSignal[]
  /** Called with the size of each part of an answer that is held in memory, and with a negative count when the call ends. */
  readonly onBytes: (count: number) => void
  /** Called with rate limit units that the call costs beyond its weight. */
  readonly onUnits: (units: number) => void
  readonly connection: Connection | undefined
}

/** State of one running request: its deadline, whether a client still waits for it, and the memory that it holds until `end`. */
export class Call implements CallContext {
  readonly identity: Identity
  readonly limits: RpcLimits
  readonly shared: Shared
  readonly connection: Connection | undefined
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #abandoned: readonly AbortSignal[]
  readonly #onBytes: (count: number) => void
  readonly #onUnits: (units: number) => void
  #bytes = 0
  readonly #client: Client
  readonly #deadlineMs: number
  #link: Link | undefined
  /** End of the time for which its requests may wait for the head; undefined until the first of them waits. */
  #waitEndsMs: number | undefined
  #endings: (() => void)[] | undefined

  constructor({ identity, limits, shared, clock, abandoned, onBytes, onUnits, connection }: CallOptions) {
    this.identity = identity
    this.limits = limits
    this.shared = shared
    this.connection = connection
    this.#clock = clock
    this.#abandoned = abandoned
    this.#onBytes = onBytes
    this.#onUnits = onUnits
    this.#client = identity
    this.#deadlineMs = clock.monotonic() + limits.requestMs
  }

  /** Created on first use: most calls end before they could be aborted. */
  get signal(): AbortSignal {
    this.#link ??= this.#linked()
    return this.#link.signal
  }

  #linked(): Link {
    const link = linkDeadline(Math.max(0, this.#deadlineMs - this.#clock.monotonic()), this.#abandoned, this.#clock)
    // One listener per running request of a batch is normal: turn off Node's leak warning.
    setMaxListeners(0, link.signal)
    return link
  }

  get isGivenUp(): boolean {
    return (
      this.#link?.signal.aborted === true ||
      this.#abandoned.some(({ aborted }) => aborted) ||
      this.#clock.monotonic() > this.#deadlineMs
    )
  }

  isSliceOver(): boolean {
    return this.shared.turns.isOver()
  }

  async nextTurn(): Promise<void> {
    await this.shared.turns.next(this.#client)
    if (this.isGivenUp) throw new CallGivenUp()
  }

  waitMs(): number {
    const now = this.#clock.monotonic()
    this.#waitEndsMs ??= now + this.limits.behindMs
    return this.#waitEndsMs - now
  }

  hold(bytes: number): void {
    this.#bytes += bytes
    this.#onBytes(bytes)
  }

  charge(units: number): void {
    this.#onUnits(units)
  }

  onEnd(action: () => void): void {
    this.#endings ??= []
    this.#endings.push(action)
  }

  end(): void {
    this.#link?.unlink()
    for (const action of this.#endings ?? []) action()
    if (this.#bytes > 0) this.#onBytes(-this.#bytes)
  }
}

/** No client waits for the answer any more, or the request timed out. */
export class CallGivenUp extends Error {
  constructor() {
    super('the call was abandoned: its client is gone, or it timed out')
  }
}
