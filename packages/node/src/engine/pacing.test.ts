import type { TimeMs } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { Pacing } from './pacing.ts'

/** A manual clock whose timers fire in order as it advances. */
function setUp(startMs = 10_000) {
  let nowMs = startMs
  let timers: { atMs: number; action: () => void }[] = []
  const after = (ms: number, action: () => void) => {
    const timer = { atMs: nowMs + ms, action }
    timers.push(timer)
    return () => {
      timers = timers.filter((other) => other !== timer)
    }
  }
  const clock = { now: () => nowMs, monotonic: () => nowMs, after }
  let transactions = 0
  const due: number[] = []
  const pacing = new Pacing(
    clock,
    () => transactions > 0,
    () => due.push(nowMs),
  )
  return {
    pacing,
    due,
    admit() {
      transactions++
      pacing.admitted()
    },
    pass(ms: number) {
      const endMs = nowMs + ms
      for (;;) {
        const next = timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
        if (next === undefined) break
        timers = timers.filter((other) => other !== next)
        nowMs = next.atMs
        next.action()
      }
      nowMs = endMs
    },
  }
}

const PARAMETERS = { blockIntervalMs: 500, heartbeatIntervalMs: 5_000 }
const PARENT = 10_000 as TimeMs

describe('pacing', () => {
  it('an empty pool waits for the heartbeat', () => {
    const { pacing, due, pass } = setUp()
    pacing.wait(PARENT, PARAMETERS)
    pass(20_000)
    expect(due).toEqual([15_000])
  })

  it('a transaction within the block interval waits for its end', () => {
    const { pacing, due, pass, admit } = setUp()
    pacing.wait(PARENT, PARAMETERS)
    pass(200)
    admit()
    expect(due).toEqual([])
    pass(1_000)
    expect(due).toEqual([10_500])
  })

  it('a transaction after the block interval begins the height at once, and only once', () => {
    const { pacing, due, pass, admit } = setUp()
    pacing.wait(PARENT, PARAMETERS)
    pass(700)
    expect(pacing.open).toBe(true)
    admit()
    admit()
    pass(20_000)
    expect(due).toEqual([10_700])
  })

  it('a parent of long ago opens at once, one of the future after one interval at most', () => {
    const late = setUp(1_000_000)
    late.pacing.wait(PARENT, PARAMETERS)
    late.pass(0)
    expect(late.due).toEqual([1_000_000])
    const early = setUp(1_000)
    early.pacing.wait(PARENT, PARAMETERS)
    early.pass(20_000)
    expect(early.due).toEqual([6_000])
  })

  it('says nothing once it is cleared', () => {
    const { pacing, due, pass, admit } = setUp()
    pacing.wait(PARENT, PARAMETERS)
    pacing.clear()
    admit()
    pass(20_000)
    expect(due).toEqual([])
  })
})
