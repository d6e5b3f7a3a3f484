import { describe, expect, it } from 'vitest'
import { proposal, round, value } from '../test/fixtures.ts'
import { CONSENSUS_LIMITS } from './limits.ts'
import { ProposalKeeper } from './proposal-keeper.ts'

const at = round(0)

describe('proposals', () => {
  it('keep both of an equivocating proposer, prove it once, and take no third', () => {
    const keeper = new ProposalKeeper()
    const [a, b, c] = [proposal(0, 'v1', 'a'), proposal(0, 'v1', 'b'), proposal(0, 'v1', 'c')]
    expect(keeper.add(a, at)).toEqual({ refusal: undefined, evidence: undefined })
    expect(keeper.add(a, at).refusal).toBe('duplicate')
    expect(keeper.add(b, at).evidence).toEqual({ kind: 'proposals', first: a, second: b })
    expect(keeper.add(c, at)).toEqual({ refusal: 'equivocation', evidence: undefined })
    expect(keeper.proposals(at)).toEqual([a, b])
    keeper.add(proposal(4, 'v1', 'a'), round(4))
    expect(keeper.add(proposal(4, 'v1', 'b'), round(4)).evidence).toBeUndefined()
  })

  it('of rounds ahead keep a proposer to its newest, and leave the others their place', () => {
    const keeper = new ProposalKeeper()
    keeper.add(proposal(1, 'v2', 'a'), at)
    for (let r = 2; r <= 50; r++) keeper.add(proposal(r, 'v1', 'a'), at)
    const kept = Array.from({ length: 51 }, (_, r) => r).filter((r) => keeper.proposals(round(r)).length > 0)
    const newest = Array.from(
      { length: CONSENSUS_LIMITS.futureRoundsPerValidatorMax },
      (_, i) => 51 - CONSENSUS_LIMITS.futureRoundsPerValidatorMax + i,
    )
    expect(kept).toEqual([1, ...newest])
    expect(keeper.add(proposal(3, 'v1', 'a'), at).refusal).toBe('far-round')
  })

  it('forget rounds far behind with their verdicts, but not the verdict on a kept value', () => {
    const keeper = new ProposalKeeper()
    for (const name of ['a', 'b']) keeper.judge(value(name), at, true, true)
    keeper.add(proposal(0, 'v1', 'a'), at)
    keeper.prune(round(CONSENSUS_LIMITS.pastRoundsMax + 1), [value('a'), undefined])
    expect([keeper.proposals(at), keeper.isValid(value('a')), keeper.isValid(value('b'))]).toEqual([[], true, undefined])
    expect(keeper.add(proposal(0, 'v1', 'a'), round(CONSENSUS_LIMITS.pastRoundsMax + 1)).refusal).toBe('old-round')
  })
})

describe('verdicts', () => {
  it('are the value’s for validity and the round’s for freshness; the first word stands', () => {
    const keeper = new ProposalKeeper()
    expect([keeper.isValid(value('a')), keeper.isFresh(value('a'), at)]).toEqual([undefined, undefined])
    expect(keeper.judge(value('a'), at, true, false)).toBe(true)
    expect(keeper.judge(value('a'), at, false, true)).toBe(false)
    expect([keeper.isValid(value('a')), keeper.isFresh(value('a'), at), keeper.isFresh(value('a'), round(1))]).toEqual([
      true,
      false,
      undefined,
    ])
    expect(keeper.judge(value('a'), round(1), false, true)).toBe(true)
    expect([keeper.isValid(value('a')), keeper.isFresh(value('a'), round(1))]).toEqual([true, true])
  })
})
