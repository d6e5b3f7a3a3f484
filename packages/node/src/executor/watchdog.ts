import type { Clock } from '../powers.ts'
import type { Turns } from './turns.ts'

/** Time limits for a call of the execution worker. They do not change a block's result, but a slower transaction is left out of own blocks. */
export const WATCHDOG_LIMITS = {
  /** Nominal speed: one gas takes 1/300 µs (`docs/gas.md`). */
  gasPerMs: 300_000,
  /** Allowed factor over the nominal time of a block. The most expensive scripts of the abuse bench take less than twice the nominal time. */
  slownessMax: 20,
  /** Minimum time limit, for chains with small blocks: a new thread is slow, and garbage collection takes time. */
  workMsMin: 1_000,
  /** Each further attempt at a call may take this many times as long as the one before. */
  patienceFactor: 4,
  /** Interval between checks by the watching thread. */
  tickMs: 100,
  /** Upper bound for the time that one check counts: a late check does not know what happened in between. */
  tickMsMax: 200,
} as const

/** Time limit of a call with this much gas, in ms. The first attempt is 0. */
export function workMsMax(gas: number, attempt: number): number {
  const { gasPerMs, slownessMax, workMsMin, patienceFactor } = WATCHDOG_LIMITS
  return Math.max(workMsMin, (slownessMax * gas) / gasPerMs) * patienceFactor ** attempt
}

export interface WatchPowers {
  readonly clock: Clock
  /** Processor time of this process in ms, all threads together. */
  readonly processorMs: () => number
}

/**
 * Watches a working thread until the returned function is called, or `workMs` are used up.
 *
 * Only time in which the thread may have worked counts. Each check adds the time since the last check, but at most the processor time that the
 * whole process used, and at most `tickMsMax`. So the time does not run while the process or the machine is suspended, other processes have
 * the processor, threads wait for the disk, or the watching thread itself is blocked.
 *
 * @param onLate - Called when the time is used up, with whether at least half of it went to the current turn.
 * @returns Stops watching.
 */
export function watch({ clock, processorMs }: WatchPowers, turns: Turns, workMs: number, onLate: (isOneTurn: boolean) => void) {
  const { tickMs, tickMsMax } = WATCHDOG_LIMITS
  let at = clock.monotonic()
  let used = processorMs()
  let turn = turns.count
  let countedMs = 0
  let turnMs = 0
  let cancel: () => void = () => {}
  const look = (): void => {
    const [before, usedBefore, turnBefore] = [at, used, turn]
    at = clock.monotonic()
    used = processorMs()
    turn = turns.count
    const passedMs = Math.min(at - before, used - usedBefore, tickMsMax)
    countedMs += passedMs
    turnMs = turn === turnBefore ? turnMs + passedMs : 0
    if (countedMs >= workMs) onLate(2 * turnMs >= countedMs)
    else cancel = clock.after(tickMs, look)
  }
  cancel = clock.after(tickMs, look)
  return (): void => cancel()
}

/** Processor time of this process in ms, user and system. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
