import type { Clock } from '../powers.ts'
import type { Turns } from './turns.ts'

/** How long an execution worker may work on a call. None of this changes a block, but a transaction that takes longer stays out of ours. */
export const WATCHDOG_LIMITS = {
  /** What the price of gas promises: one gas is 1/300 µs (`docs/gas.md`). */
  gasPerMs: 300_000,
  /** How much longer than its gas promises a block may take. The dearest scripts of the abuse bench take less than twice as long. */
  slownessMax: 20,
  /** The least, for chains of small blocks: a thread that just started is slow, and memory is collected. */
  workMsMin: 1_000,
  /** How much longer each further attempt at a call may take than the one before. */
  patienceFactor: 4,
  /** How often the watching thread looks. */
  tickMs: 100,
  /** The most that one look counts: a thread that looked late knows nothing of what happened meanwhile. */
  tickMsMax: 200,
} as const

/** How long a call may take for which so much gas is paid, at this attempt from 0. */
export function workMsMax(gas: number, attempt: number): number {
  const { gasPerMs, slownessMax, workMsMin, patienceFactor } = WATCHDOG_LIMITS
  return Math.max(workMsMin, (slownessMax * gas) / gasPerMs) * patienceFactor ** attempt
}

export interface WatchPowers {
  readonly clock: Clock
  /** Milliseconds of processor time that this process has used, all of its threads together. */
  readonly processorMs: () => number
}

/**
 * Watches a thread at work, from now until the returned function is called or the time is up; then calls back with whether most of it went to one
 * turn, the present one.
 *
 * What counts is the time in which the thread can have worked, and no more than that: a look counts what has passed since the last one, but at most
 * what the whole process has used of the processor, and at most `tickMsMax`. So the time does not run while the process or the machine is
 * suspended, while others have the processor, while the disk is waited for, or while the watching thread itself is held up.
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

/** Of this process, by the operating system. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
