import { Height } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { SYNC_LIMITS } from './limits.ts'
import { PeerBook } from './peer-book.ts'

const at = (height: number) => Height(height)
const claiming = (...claims: readonly (readonly [peer: string, height: number])[]) => {
  const clock = new ManualClock()
  const book = new PeerBook(clock)
  for (const [peer, height] of claims) book.claim(peer, at(height))
  return { clock, book }
}

describe('PeerBook', () => {
  it('chooses only among those that claim the height, equals taking turns', () => {
    const { book } = claiming(['a', 5], ['b', 9], ['c', 9])
    expect([1, 2, 3, 4].map(() => book.choose(at(6)))).toEqual(['b', 'c', 'b', 'c'])
    expect(book.choose(at(10))).toBeUndefined()
    expect(book.claimedBy(1)).toBe(9)
  })

  it('prefers peers that delivered, until that is long ago', () => {
    const { book, clock } = claiming(['a', 9], ['b', 9])
    for (let i = 0; i < 8; i++) book.succeeded('b')
    expect([1, 2, 3].map(() => book.choose(at(9)))).toEqual(['b', 'b', 'b'])
    clock.advance(8 * SYNC_LIMITS.scoreHalfLifeMs)
    expect(book.choose(at(9))).toBe('a')
  })

  it('drops a claim that was not fulfilled, and uses the peer again only after its bench and a new claim', () => {
    const { book, clock } = claiming(['a', 9])
    book.failed('a', true)
    expect(book.claimedBy(1)).toBeUndefined()
    book.claim('a', at(1_000_000))
    expect(book.claimedBy(1)).toBeUndefined()
    expect(book.choose(at(9))).toBeUndefined()
    clock.advance(SYNC_LIMITS.benchMsMin - 1)
    expect(book.isBenched('a')).toBe(true)
    clock.advance(1)
    expect(book.choose(at(9))).toBe('a')
  })

  it('doubles the bench with each failure in a row up to its limit, and forgives after a success', () => {
    const { book, clock } = claiming(['a', 9])
    for (let ms = SYNC_LIMITS.benchMsMin; ms < 4 * SYNC_LIMITS.benchMsMax; ms *= 2) {
      book.failed('a', false)
      const bench = Math.min(ms, SYNC_LIMITS.benchMsMax)
      clock.advance(bench - 1)
      expect(book.isBenched('a')).toBe(true)
      clock.advance(1)
      expect(book.isBenched('a')).toBe(false)
    }
    book.succeeded('a')
    book.failed('a', false)
    clock.advance(SYNC_LIMITS.benchMsMin)
    expect(book.isBenched('a')).toBe(false)
  })

  it('does not let a peer shake off its bench by going and coming', () => {
    const { book } = claiming(['a', 9])
    book.failed('a', true)
    book.down('a')
    book.claim('a', at(9))
    expect(book.choose(at(9))).toBeUndefined()
  })

  it('knows the height that at least a number of peers claim', () => {
    const { book } = claiming(['a', 5], ['liar', 1_000_000], ['b', 9], ['c', 9])
    expect([1, 2, 3, 4, 5].map((count) => book.claimedBy(count))).toEqual([1_000_000, 9, 9, 5, undefined])
    book.failed('b', false)
    expect([1, 2, 3, 4].map((count) => book.claimedBy(count))).toEqual([1_000_000, 9, 5, undefined])
  })

  it('forgets the claim of a peer that is gone', () => {
    const { book } = claiming(['a', 9])
    book.down('a')
    expect(book.claimedBy(1)).toBeUndefined()
  })

  it('never chooses who is benched or claims too little, and finds somebody else if there is one', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('claim' as const),
        peer: fc.constantFrom('a', 'b', 'c'),
        height: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({
        kind: fc.constantFrom('failed' as const, 'succeeded' as const, 'down' as const),
        peer: fc.constantFrom('a', 'b', 'c'),
      }),
      fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 5_000 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (steps, wanted) => {
        const clock = new ManualClock()
        const book = new PeerBook(clock)
        const claims = new Map<string, number>()
        for (const next of steps) {
          if (next.kind === 'advance') clock.advance(next.ms)
          else if (next.kind === 'claim') {
            book.claim(next.peer, at(next.height))
            claims.set(next.peer, Math.max(claims.get(next.peer) ?? 0, next.height))
          } else {
            if (next.kind === 'failed') book.failed(next.peer, true)
            else book[next.kind](next.peer)
            if (next.kind !== 'succeeded') claims.delete(next.peer)
          }
        }
        const able = [...claims].filter(([peer, claim]) => claim >= wanted && !book.isBenched(peer)).map(([peer]) => peer)
        const chosen = book.choose(at(wanted))
        expect(chosen === undefined).toBe(able.length === 0)
        if (chosen !== undefined) expect(able).toContain(chosen)
      }),
    )
  })

  it('keeps no more peers than its limit, and the benched ones among them', () => {
    const clock = new ManualClock()
    const book = new PeerBook(clock)
    book.claim('liar', at(3))
    book.failed('liar', true)
    for (let i = 0; i < 2 * SYNC_LIMITS.peersMax; i++) {
      book.claim(`peer${i}`, at(3))
      book.down(`peer${i}`)
    }
    expect(book.isBenched('liar')).toBe(true)
    book.claim('liar', at(3))
    expect(book.choose(at(3))).toBeUndefined()
  })
})
