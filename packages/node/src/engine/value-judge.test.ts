import { type Address, DEFAULT_PARAMETERS, type Hash, type Height, type Round, type TimeMs, ZERO_ADDRESS } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import type { CandidateBlock, Head } from '../chain/types.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { isTimely, ValueJudge } from './value-judge.ts'

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

describe('arrivals of proposals', () => {
  const head = { header: { timeMs: 0 as TimeMs }, parameters: { ...PARAMETERS, blockIntervalMs: 0 } } as unknown as Head
  const block = (hash: string, timeMs = 1_000) => ({ hash, header: { timeMs, miner: ZERO_ADDRESS } }) as unknown as CandidateBlock
  const isFresh = (judge: ValueJudge, round: number, of: CandidateBlock): boolean | undefined => {
    judge.judged(of.hash, true, of)
    const ask = { kind: 'validateValue', height: 1 as Height, round: round as Round, valueId: of.hash, fresh: true } as never
    return judge.ask(ask, of)?.fresh
  }

  it('are remembered of the latest rounds, two a round, the first of each value', () => {
    const judge = new ValueJudge(head, () => ZERO_ADDRESS)
    const [one, other, third] = [block('one'), block('other'), block('third')]
    for (const [valueId, at] of [
      ['one', 1_000],
      ['one', 9_000],
      ['other', 1_000],
      ['third', 1_000],
    ] as const)
      judge.received(7 as Round, valueId as Hash, at)
    expect([one, other, third].map((each) => isFresh(judge, 7, each))).toEqual([true, true, false])
    for (let round = 8; round < 8 + 10 * ENGINE_LIMITS.receivedRoundsMax; round++)
      judge.received(round as Round, 'one' as Hash, 1_000)
    const latest = 7 + 10 * ENGINE_LIMITS.receivedRoundsMax
    expect(isFresh(judge, latest, one)).toBe(true)
    expect(isFresh(judge, latest - ENGINE_LIMITS.receivedRoundsMax + 1, one)).toBe(true)
    expect(isFresh(judge, latest - ENGINE_LIMITS.receivedRoundsMax, one)).toBe(false)
  })
})

describe('a fresh proposal', () => {
  const feeAddress = (round: number) => `0x${String(round + 1).repeat(40)}` as Address
  const valueId = `0x${'22'.repeat(32)}` as Hash
  const ROUND = 3
  const PARENT_MS = 1_000
  const TIME_MS = PARENT_MS + PARAMETERS.blockIntervalMs

  /** The verdict on a block that arrived in the round in which it was made, with one thing changed. */
  function verdict(changed: { miner?: Address; timeMs?: number; receivedMs?: number; receivedRound?: number } = {}) {
    const { miner = feeAddress(ROUND), timeMs = TIME_MS, receivedMs = timeMs, receivedRound = ROUND } = changed
    const head = { header: { timeMs: PARENT_MS }, parameters: PARAMETERS } as Head
    const judge = new ValueJudge(head, feeAddress)
    const block = { hash: valueId, header: { miner, timeMs }, transactions: [] } as unknown as CandidateBlock
    judge.received(receivedRound as Round, valueId, receivedMs)
    const ask = { kind: 'validateValue', height: 1 as Height, round: ROUND as Round, valueId, polRound: undefined } as const
    expect(judge.ask(ask, block)).toBeUndefined()
    const [answer] = judge.judged(valueId, true, block)
    expect(answer?.valid).toBe(true)
    return answer?.fresh
  }

  it("names the fee address of the round's proposer, comes in time, and keeps the block interval", () => {
    expect(verdict()).toBe(true)
    expect(verdict({ miner: feeAddress(ROUND - 1) })).toBe(false)
    expect(verdict({ timeMs: TIME_MS - 1 })).toBe(false)
    expect(verdict({ receivedMs: TIME_MS - PARAMETERS.clockPrecisionMs - 1 })).toBe(false)
    expect(verdict({ receivedRound: ROUND - 1 })).toBe(false)
  })
})
