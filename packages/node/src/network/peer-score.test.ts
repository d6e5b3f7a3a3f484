import { describe, expect, it } from 'vitest'
import { OFFENCE_POINTS, PeerScores } from './peer-score.ts'

const limits = { scoreMin: -100, banMs: 1_000, scoreHalfLifeMs: 10_000 }

describe('peer scores', () => {
  it('begin blameless, fall by the offence, and halve with time', () => {
    const scores = new PeerScores(limits)
    expect(scores.score('a', 5)).toBe(0)
    expect(scores.penalise('a', 'malformed', 0)).toBe('scored')
    expect(scores.score('a', 0)).toBe(-OFFENCE_POINTS.malformed)
    expect(scores.score('a', 10_000)).toBe(-OFFENCE_POINTS.malformed / 2)
    scores.penalise('a', 'flood', 10_000)
    expect(scores.score('a', 20_000)).toBe((-OFFENCE_POINTS.malformed / 2 - OFFENCE_POINTS.flood) / 2)
    expect(scores.score('b', 0)).toBe(0)
  })

  it('ban at the limit, until the ban expires; then the peer starts afresh', () => {
    const scores = new PeerScores(limits)
    for (let i = 0; i < 3; i++) expect(scores.penalise('a', 'oversized', 0)).toBe('scored')
    expect(scores.bannedMs('a', 0)).toBe(0)
    expect(scores.penalise('a', 'oversized', 0)).toBe('banned')
    expect(scores.bannedMs('a', 0)).toBe(1_000)
    expect(scores.bannedMs('a', 999)).toBe(1)
    expect(scores.bannedMs('a', 1_000)).toBe(0)
    expect(scores.score('a', 0)).toBe(0)
  })

  it('take nothing into account that a banned peer sent before or is reported for, then or later', () => {
    const scores = new PeerScores(limits)
    for (let i = 0; i < 4; i++) scores.penalise('a', 'malformed', 0)
    for (let i = 0; i < 9; i++) expect(scores.penalise('a', 'malformed', 500)).toBe('spent')
    expect(scores.bannedMs('a', 600)).toBe(400)
    for (let i = 0; i < 9; i++) expect(scores.penalise('a', 'malformed', 1_100, 900)).toBe('spent')
    expect([scores.score('a', 1_100), scores.bannedMs('a', 1_100)]).toEqual([0, 0])
    expect(scores.penalise('a', 'malformed', 1_100)).toBe('scored')
    expect(scores.score('a', 1_100)).toBe(-OFFENCE_POINTS.malformed)
  })

  it('never ban for offences that are rarer than they decay', () => {
    const scores = new PeerScores(limits)
    for (let now = 0; now < 1_000_000; now += 10_000) expect(scores.penalise('a', 'malformed', now)).toBe('scored')
  })

  it('forget peers that left', () => {
    const scores = new PeerScores(limits)
    for (const peer of ['a', 'b']) scores.penalise(peer, 'invalid', 0)
    scores.retain(new Set(['b']))
    expect(scores.score('a', 0)).toBe(0)
    expect(scores.score('b', 0)).toBe(-OFFENCE_POINTS.invalid)
  })
})
