import { DEFAULT_PARAMETERS, type Round, type TimeMs } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { isTimely } from './value-judge.ts'

const PARAMETERS = { ...DEFAULT_PARAMETERS, clockPrecisionMs: 100, messageDelayMs: 400, timeoutDeltaMs: 50 }
const timely = (timeMs: number, receivedMs: number, round: number): boolean =>
  isTimely(timeMs as TimeMs, receivedMs, round as Round, PARAMETERS)

describe('timely', () => {
  it('from PRECISION before the arrival to MSGDELAY + PRECISION after the block was made, ends included', () => {
    expect([899, 900, 1_000, 1_500, 1_501].map((receivedMs) => timely(1_000, receivedMs, 0))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ])
  })

  it('allows for a slower network in later rounds, and never for a clock that is ahead', () => {
    expect([timely(1_000, 1_700, 3), timely(1_000, 1_700, 4), timely(1_000, 1_701, 4)]).toEqual([false, true, false])
    expect(timely(1_000, 899, 50)).toBe(false)
  })
})
