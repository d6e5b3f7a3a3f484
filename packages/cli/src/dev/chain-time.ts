import type { Clock } from '@quoin/node'
import { err, LIMITS, ok, type Result, TimeMs } from '@quoin/protocol'

const SECOND_MS = 1_000

export interface TimeRefusal {
  readonly code: 'time'
  readonly message: string
}

/** The time settings of a chain; a snapshot keeps them. */
export interface TimeSettings {
  /** The chain's clock is ahead of the wall clock by this. */
  readonly offsetMs: number
  /** Timestamp of the next block in seconds, if one was set. */
  readonly nextTimestamp: number | undefined
  /** Fixed time from each block to the next; undefined: the clock decides. */
  readonly blockIntervalMs: number | undefined
}

const WALL_CLOCK: TimeSettings = { offsetMs: 0, nextTimestamp: undefined, blockIntervalMs: undefined }

/** The time of a development chain: the wall clock plus an offset, or a time that was set. Block times always increase strictly. */
export class ChainTime {
  readonly #clock: Pick<Clock, 'now'>
  #settings = WALL_CLOCK

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  get settings(): TimeSettings {
    return this.#settings
  }

  restore(settings: TimeSettings = WALL_CLOCK): void {
    this.#settings = settings
  }

  /** Time of the next block; `parentMs` is the time of its parent. */
  next(parentMs: number): TimeMs {
    const { offsetMs, nextTimestamp, blockIntervalMs } = this.#settings
    if (nextTimestamp !== undefined) return after(parentMs, SECOND_MS * nextTimestamp)
    if (blockIntervalMs !== undefined) return TimeMs(parentMs + blockIntervalMs)
    return after(parentMs, this.#clock.now() + offsetMs)
  }

  /** Time of a block that only writes to the state. It does not use up a timestamp that was set for the next block. */
  least(parentMs: number): TimeMs {
    return after(parentMs, parentMs)
  }

  /** Call this after a block was made with the time from `next`. Uses up a timestamp that was set; the clock continues from it. */
  used(timeMs: number): void {
    if (this.#settings.nextTimestamp === undefined) return
    this.#settings = { ...this.#settings, nextTimestamp: undefined, offsetMs: timeMs - this.#clock.now() }
  }

  /** Moves the chain's clock forward. Returns by how many seconds it is now ahead of the wall clock. */
  increase(seconds: number): Result<number, TimeRefusal> {
    const offsetMs = this.#settings.offsetMs + SECOND_MS * seconds
    if (this.#clock.now() + offsetMs > LIMITS.timeMsMax)
      return refuse(`a time ${seconds} s from now is too large for a block's time`)
    this.#settings = { ...this.#settings, offsetMs }
    return ok(Math.floor(offsetMs / SECOND_MS))
  }

  /** Sets the timestamp of the next block, exactly. */
  setNext(timestamp: number, parentMs: number): Result<void, TimeRefusal> {
    const problem = timestampProblem(timestamp, parentMs)
    if (problem !== undefined) return refuse(problem)
    this.#settings = { ...this.#settings, nextTimestamp: timestamp }
    return ok(undefined)
  }

  /** Moves the chain's clock to a timestamp in seconds; it continues from there. Returns by how many seconds it moved. */
  moveTo(timestamp: number, parentMs: number): Result<number, TimeRefusal> {
    const problem = timestampProblem(timestamp, parentMs)
    if (problem !== undefined) return refuse(problem)
    const nowMs = this.#clock.now()
    const movedMs = SECOND_MS * timestamp - nowMs - this.#settings.offsetMs
    this.#settings = { ...this.#settings, offsetMs: SECOND_MS * timestamp - nowMs }
    return ok(Math.floor(movedMs / SECOND_MS))
  }

  /** Sets the seconds from each block to the next; undefined: the clock decides again. */
  setInterval(seconds: number | undefined): void {
    this.#settings = { ...this.#settings, blockIntervalMs: seconds === undefined ? undefined : SECOND_MS * seconds }
  }
}

/** A block's time is in milliseconds, so several blocks can have the same timestamp in seconds. */
const after = (parentMs: number, wantedMs: number): TimeMs => TimeMs(Math.max(parentMs + 1, wantedMs))

function timestampProblem(timestamp: number, parentMs: number): string | undefined {
  if (SECOND_MS * timestamp > LIMITS.timeMsMax)
    return `timestamp ${timestamp} is too large for a block's time: it must be in seconds, not milliseconds`
  const earliest = Math.floor((parentMs + 1) / SECOND_MS)
  if (timestamp >= earliest) return undefined
  return `timestamp ${timestamp} is lower than the previous block's timestamp: use at least ${earliest} (evm_revert goes back in time)`
}

const refuse = (message: string): Result<never, TimeRefusal> => err({ code: 'time', message })
