import type { Clock } from '@quoin/node'
import { err, LIMITS, ok, type Result, TimeMs } from '@quoin/protocol'

const SECOND_MS = 1_000

export interface TimeRefusal {
  readonly code: 'time'
  readonly message: string
}

/** All of a chain's time that a snapshot keeps. */
export interface TimeSettings {
  /** How far the chain is ahead of the wall clock. */
  readonly offsetMs: number
  /** Timestamp of the next block, in seconds, where it was set. */
  readonly nextTimestamp: number | undefined
  /** Time from each block to the next, in place of the clock. */
  readonly blockIntervalMs: number | undefined
}

const WALL_CLOCK: TimeSettings = { offsetMs: 0, nextTimestamp: undefined, blockIntervalMs: undefined }

/** The time of a development chain: the wall clock's, ahead of it by an offset, or what was set. Blocks' times grow strictly whatever is asked for. */
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

  /** Time of a block above one of `parentMs`. */
  next(parentMs: number): TimeMs {
    const { offsetMs, nextTimestamp, blockIntervalMs } = this.#settings
    if (nextTimestamp !== undefined) return after(parentMs, SECOND_MS * nextTimestamp)
    if (blockIntervalMs !== undefined) return TimeMs(parentMs + blockIntervalMs)
    return after(parentMs, this.#clock.now() + offsetMs)
  }

  /** Time of a block that is there for its writes to the state: what was set for the next block holds for the one after it. */
  least(parentMs: number): TimeMs {
    return after(parentMs, parentMs)
  }

  /** A block has the time that `next` gave. A timestamp that was set is used up, and time goes on from there. */
  used(timeMs: number): void {
    if (this.#settings.nextTimestamp === undefined) return
    this.#settings = { ...this.#settings, nextTimestamp: undefined, offsetMs: timeMs - this.#clock.now() }
  }

  /** Moves the chain's clock forward, and answers by how many seconds it is ahead of the wall clock now. */
  increase(seconds: number): Result<number, TimeRefusal> {
    const offsetMs = this.#settings.offsetMs + SECOND_MS * seconds
    if (this.#clock.now() + offsetMs > LIMITS.timeMsMax)
      return refuse(`a time ${seconds} s from now is above what a block can carry`)
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

  /** Moves the chain's clock to a timestamp, from which it goes on; answers by how many seconds it moved. */
  moveTo(timestamp: number, parentMs: number): Result<number, TimeRefusal> {
    const problem = timestampProblem(timestamp, parentMs)
    if (problem !== undefined) return refuse(problem)
    const nowMs = this.#clock.now()
    const movedMs = SECOND_MS * timestamp - nowMs - this.#settings.offsetMs
    this.#settings = { ...this.#settings, offsetMs: SECOND_MS * timestamp - nowMs }
    return ok(Math.floor(movedMs / SECOND_MS))
  }

  /** Seconds from each block to the next; undefined goes back to the clock. */
  setInterval(seconds: number | undefined): void {
    this.#settings = { ...this.#settings, blockIntervalMs: seconds === undefined ? undefined : SECOND_MS * seconds }
  }
}

/** Milliseconds are part of a block's time here, so that several blocks may have one timestamp. */
const after = (parentMs: number, wantedMs: number): TimeMs => TimeMs(Math.max(parentMs + 1, wantedMs))

function timestampProblem(timestamp: number, parentMs: number): string | undefined {
  if (SECOND_MS * timestamp > LIMITS.timeMsMax) return `timestamp ${timestamp} is above what a block can carry; it counts seconds`
  const earliest = Math.floor((parentMs + 1) / SECOND_MS)
  if (timestamp >= earliest) return undefined
  return `timestamp ${timestamp} is lower than the previous block's: at least ${earliest} is possible (evm_revert goes back in time)`
}

const refuse = (message: string): Result<never, TimeRefusal> => err({ code: 'time', message })
