import type { Vote } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { address, FOUR, nameOf, precommit, prevote, round, validatorSet, value, vote } from '../test/fixtures.ts'
import { CONSENSUS_LIMITS } from './limits.ts'
import { VoteKeeper } from './vote-keeper.ts'

const at = round(0)
const reached = (keeper: VoteKeeper, votes: readonly Vote[], current = at) =>
  votes.flatMap((entry) => keeper.add(entry, current).threshold?.kind ?? [])

describe('thresholds', () => {
  it('are reported once each', () => {
    const keeper = new VoteKeeper(FOUR)
    expect(reached(keeper, [prevote(0, 'v1', 'a'), prevote(0, 'v2', 'a'), prevote(0, 'v3', 'a'), prevote(0, 'v4', 'a')])).toEqual(
      ['polkaValue'],
    )
    expect(
      reached(keeper, [precommit(0, 'v1'), precommit(0, 'v2', 'a'), precommit(0, 'v3', 'a'), precommit(0, 'v4', 'a')]),
    ).toEqual(['precommitAny', 'precommitValue'])
  })

  it('count 2f+1 nil precommits as any', () => {
    expect(reached(new VoteKeeper(FOUR), [precommit(0, 'v1'), precommit(0, 'v2'), precommit(0, 'v3')])).toEqual(['precommitAny'])
  })

  it('skip on prevotes and precommits together, each validator once (L55)', () => {
    const keeper = new VoteKeeper(FOUR)
    expect(reached(keeper, [prevote(3, 'v1', 'a'), precommit(3, 'v1', 'a')])).toEqual([])
    expect(keeper.skipRound(at)).toBeUndefined()
    expect(reached(keeper, [precommit(3, 'v2')])).toEqual(['skip'])
    expect(keeper.skipRound(at)).toBe(3)
    expect(keeper.skipRound(round(3))).toBeUndefined()
  })

  it('agree with a recount of the first votes', () => {
    const powers = { v1: 3, v2: 2, v3: 1, v4: 1 }
    const name = fc.constantFrom(...Object.keys(powers))
    const anyVote = fc
      .tuple(fc.constantFrom('prevote' as const, 'precommit' as const), fc.nat(1), name, fc.constantFrom('a', 'b', undefined))
      .map(([kind, r, by, of]) => vote(kind, r, by, of))
    fc.assert(
      fc.property(fc.array(anyVote, { maxLength: 40 }), (votes) => {
        const keeper = new VoteKeeper(validatorSet(powers))
        const first = new Map<string, Vote>()
        for (const entry of votes) {
          keeper.add(entry, round(1))
          const key = `${entry.kind} ${entry.round} ${entry.validator}`
          if (!first.has(key)) first.set(key, entry)
        }
        const power = (matches: (entry: Vote) => boolean) =>
          [...first.values()]
            .filter(matches)
            .reduce((sum, { validator }) => sum + powers[nameOf(validator as never) as keyof typeof powers], 0)
        for (const r of [0, 1]) {
          for (const kind of ['prevote', 'precommit'] as const) {
            const here = (entry: Vote) => entry.kind === kind && entry.round === r
            expect(keeper.hasQuorumAny(round(r), kind)).toBe(power(here) >= 5)
            for (const of of [value('a'), value('b'), undefined]) {
              expect(keeper.hasQuorum(round(r), kind, of)).toBe(power((entry) => here(entry) && entry.valueId === of) >= 5)
            }
          }
        }
      }),
    )
  })
})

describe('equivocation', () => {
  it('counts the first vote only and is proved once a validator', () => {
    const keeper = new VoteKeeper(FOUR)
    const votes = [
      prevote(0, 'v1', 'b'),
      prevote(0, 'v1', 'a'),
      prevote(0, 'v1'),
      precommit(0, 'v1', 'a'),
      precommit(0, 'v1', 'b'),
    ]
    const added = votes.map((entry) => keeper.add(entry, at))
    expect(added.map(({ refusal }) => refusal)).toEqual([undefined, 'equivocation', 'equivocation', undefined, 'equivocation'])
    expect(added.flatMap(({ evidence }) => evidence ?? [])).toEqual([{ kind: 'votes', first: votes[1], second: votes[0] }])
    expect(keeper.vote(at, 'prevote', address('v1'))).toBe(votes[0])
  })

  it('is not what a repeated vote is', () => {
    const keeper = new VoteKeeper(FOUR)
    keeper.add(prevote(0, 'v1', 'a'), at)
    expect(keeper.add(prevote(0, 'v1', 'a'), at)).toEqual({ threshold: undefined, refusal: 'duplicate', evidence: undefined })
  })
})

describe('bounds', () => {
  const { futureRoundsPerValidatorMax, pastRoundsMax } = CONSENSUS_LIMITS

  it('keep a validator to its newest rounds ahead', () => {
    const keeper = new VoteKeeper(FOUR)
    for (let r = 1; r <= 1_000; r++) {
      keeper.add(prevote(r, 'v1', 'a'), at)
      keeper.add(precommit(r, 'v1', 'a'), at)
    }
    const kept = Array.from({ length: 1_001 }, (_, r) => r).filter((r) => keeper.votes(round(r), 'prevote').length > 0)
    expect(kept).toEqual(Array.from({ length: futureRoundsPerValidatorMax }, (_, i) => 1_001 - futureRoundsPerValidatorMax + i))
    expect(keeper.add(prevote(5, 'v1', 'a'), at).refusal).toBe('far-round')
    expect(keeper.vote(round(996), 'precommit', address('v1'))).toBeUndefined()
  })

  it('still find two that went ahead one after the other', () => {
    const keeper = new VoteKeeper(FOUR)
    for (let r = 1; r <= 40; r++) keeper.add(prevote(r, 'v1', 'a'), at)
    const thresholds = reached(keeper, [prevote(37, 'v2', 'a')])
    expect([thresholds, keeper.skipRound(at)]).toEqual([['skip'], 37])
  })

  it('count no vote that gave way to newer ones for f+1', () => {
    const keeper = new VoteKeeper(validatorSet({ v1: 1, v2: 1, v3: 1, v4: 1, v5: 1, v6: 1, v7: 1 }))
    keeper.add(prevote(1, 'v2'), at)
    for (let r = 1; r <= futureRoundsPerValidatorMax + 1; r++) keeper.add(prevote(r, 'v1', 'a'), at)
    // Three of seven are needed, and the vote of v1 in round 1 was evicted.
    expect([reached(keeper, [prevote(1, 'v3')]), keeper.skipRound(at)]).toEqual([[], undefined])
    expect([reached(keeper, [prevote(1, 'v4')]), keeper.skipRound(at)]).toEqual([['skip'], 1])
  })

  it('forget rounds far behind, and refuse votes of them', () => {
    const keeper = new VoteKeeper(FOUR)
    keeper.add(prevote(0, 'v1', 'a'), at)
    keeper.prune(round(pastRoundsMax))
    expect(keeper.votes(at, 'prevote')).toHaveLength(1)
    keeper.prune(round(pastRoundsMax + 1))
    expect(keeper.votes(at, 'prevote')).toHaveLength(0)
    expect(keeper.add(prevote(0, 'v1', 'a'), round(pastRoundsMax + 1)).refusal).toBe('old-round')
  })

  it('refuse strangers', () => {
    expect(new VoteKeeper(FOUR).add(prevote(0, 'v9', 'a'), at).refusal).toBe('unknown-validator')
  })
})
