import { DEFAULT_PARAMETERS, Hash } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { Turns } from './turns.ts'
import { processorMs, WATCHDOG_LIMITS, watch, workMsMax } from './watchdog.ts'

const { tickMs, tickMsMax, workMsMin } = WATCHDOG_LIMITS
const hash = (byte: number) => Hash(new Uint8Array(32).fill(byte))

/** Watches a thread for a second. The test controls the clock and the processor time. */
function world(workMs = 1_000) {
  const clock = new ManualClock()
  const turns = new Turns()
  const late: boolean[] = []
  let used = 0
  const stop = watch({ clock, processorMs: () => used }, turns, workMs, (isOneTurn) => late.push(isOneTurn))
  /** Advances time in steps. In each, the process uses this fraction of the processor. */
  const run = (ms: number, { share = 1, stepMs = tickMs }: { share?: number; stepMs?: number } = {}) => {
    for (let gone = 0; gone < ms; gone += stepMs) {
      used += share * stepMs
      clock.advance(stepMs)
    }
  }
  return { clock, turns, late, stop, run }
}

describe('the time that a call may take', () => {
  it('is twenty times the nominal time of the gas of a block: 4.8 s for the default block', () => {
    expect(workMsMax(DEFAULT_PARAMETERS.blockGasMax, 0)).toBe(4_800)
    expect(workMsMax(DEFAULT_PARAMETERS.blockGasMax, 1)).toBe(19_200)
  })

  it('has a minimum, and grows with each attempt', () => {
    expect([0, 1, 2].map((attempt) => workMsMax(21_000, attempt))).toEqual([workMsMin, 4 * workMsMin, 16 * workMsMin])
    expect(workMsMax(1e12, 0)).toBeGreaterThan(1e7)
  })

  it('is checked often, and a single check counts only a small part of it', () => {
    expect(tickMs).toBeLessThan(tickMsMax)
    expect(5 * tickMsMax).toBeLessThanOrEqual(workMsMin)
  })
})

describe('watching a thread', () => {
  it('calls back once if it has worked too long, and not after the end of the watch', () => {
    const { late, run, stop } = world()
    run(900)
    expect(late).toEqual([])
    run(10_000)
    expect(late).toEqual([true])
    const other = world()
    other.run(900)
    other.stop()
    other.run(10_000)
    expect(other.late).toEqual([])
    stop()
  })

  it('does not count the time in which the process or the machine was suspended', () => {
    const { clock, late, run } = world()
    run(500)
    // No check for an hour: one check still counts at most tickMsMax, whatever the processor time.
    run(3_600_000, { stepMs: 3_600_000 })
    expect(late).toEqual([])
    clock.advance(3_600_000)
    expect(late).toEqual([])
    run(300)
    expect(late).toEqual([true])
  })

  it('does not count time in which other processes have the processor, or threads wait for the disk', () => {
    const { late, run } = world()
    run(9_000, { share: 0.1 })
    expect(late).toEqual([])
    run(1_500, { share: 0.1 })
    expect(late).toEqual([true])
    const waiting = world()
    waiting.run(100_000, { share: 0 })
    expect(waiting.late).toEqual([])
  })

  it('counts little of the time in which the watching thread was blocked', () => {
    const { late, run } = world()
    run(4_000, { stepMs: 1_000 })
    expect(late).toEqual([])
    run(1_000, { stepMs: 1_000 })
    expect(late).toEqual([true])
  })

  it('reports whether most of the time went to one turn', () => {
    const endless = world()
    endless.turns.begin(hash(1))
    endless.run(400)
    endless.turns.begin(undefined)
    endless.turns.begin(hash(2))
    endless.run(700)
    expect(endless.late).toEqual([true])
    expect(endless.turns.transaction).toBe(hash(2))
    const slow = world()
    for (let turn = 1; turn <= 4; turn++) {
      slow.turns.begin(hash(turn))
      slow.run(300)
    }
    expect(slow.late).toEqual([false])
  })
})

it('the processor time of this process grows with its work', () => {
  const before = processorMs()
  let sum = 0
  for (let i = 0; processorMs() - before < 20; i++) sum += Math.sqrt(i)
  expect(sum).toBeGreaterThan(0)
})

describe('turns', () => {
  it('are visible to every thread through the shared memory', () => {
    const turns = new Turns()
    const other = new Turns(turns.buffer)
    expect([other.transaction, other.count]).toEqual([undefined, 0])
    turns.begin(hash(7))
    expect([other.transaction, other.count]).toEqual([hash(7), 1])
    turns.begin(undefined)
    expect([other.transaction, other.count]).toEqual([undefined, 2])
  })
})
