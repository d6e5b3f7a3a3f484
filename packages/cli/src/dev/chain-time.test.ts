import { LIMITS, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChainTime } from './chain-time.ts'

/** A wall clock that the test sets. */
class Wall {
  ms = 1_700_000_000_500
  now = (): number => this.ms
}

const seconds = (ms: number): number => Math.floor(ms / 1_000)

describe('the time of a development chain', () => {
  it('is the wall clock, until it is moved', () => {
    const wall = new Wall()
    const time = new ChainTime(wall)
    expect(time.next(0)).toBe(wall.ms)
    expect(unwrap(time.increase(3_600))).toBe(3_600)
    expect(unwrap(time.increase(60))).toBe(3_660)
    expect(time.next(0)).toBe(wall.ms + 3_660_000)
  })

  it('gives the next block the timestamp that was set, and continues from it', () => {
    const wall = new Wall()
    const time = new ChainTime(wall)
    unwrap(time.setNext(2_000_000_000, wall.ms))
    const next = time.next(wall.ms)
    expect(next).toBe(2_000_000_000_000)
    time.used(next)
    wall.ms += 2_500
    expect(time.next(next)).toBe(2_000_000_002_500)
  })

  it('may give two blocks one timestamp, and refuses one below the last', () => {
    const time = new ChainTime(new Wall())
    expect(time.setNext(1_700_000_000, 1_700_000_000_998).ok).toBe(true)
    expect(time.next(1_700_000_000_998)).toBe(1_700_000_000_999)
    expect(time.setNext(1_700_000_000, 1_700_000_000_999)).toMatchObject({
      error: {
        message: expect.stringMatching(
          /timestamp 1700000000 is lower than the previous block's timestamp: use at least 1700000001/,
        ),
      },
    })
    expect(time.moveTo(1, 1_700_000_000_000)).toMatchObject({ ok: false })
  })

  it('moves to a timestamp', () => {
    const wall = new Wall()
    const time = new ChainTime(wall)
    expect(unwrap(time.moveTo(1_700_000_100, wall.ms))).toBe(99)
    wall.ms += 1_000
    expect(time.next(wall.ms)).toBe(1_700_000_101_000)
  })

  it('keeps a distance between blocks where one is set', () => {
    const time = new ChainTime(new Wall())
    time.setInterval(15)
    expect(time.next(1_700_000_000_123)).toBe(1_700_000_015_123)
    time.setInterval(undefined)
    expect(time.next(0)).toBe(1_700_000_000_500)
  })

  it('refuses times that are too large for a block', () => {
    const time = new ChainTime(new Wall())
    expect(time.increase(Number.MAX_SAFE_INTEGER).ok).toBe(false)
    expect(time.setNext(seconds(LIMITS.timeMsMax) + 1, 0).ok).toBe(false)
    expect(time.next(0)).toBe(1_700_000_000_500)
  })

  it('goes back with a snapshot', () => {
    const time = new ChainTime(new Wall())
    const settings = time.settings
    unwrap(time.increase(5))
    unwrap(time.setNext(2_000_000_000, 0))
    time.restore(settings)
    expect(time.next(0)).toBe(1_700_000_000_500)
  })

  it('always increases from block to block', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('increase' as const), by: fc.nat(1_000) }),
      fc.record({ kind: fc.constant('next' as const), by: fc.integer({ min: -3, max: 10 }) }),
      fc.record({ kind: fc.constant('move' as const), by: fc.integer({ min: -3, max: 10 }) }),
      fc.record({ kind: fc.constant('wall' as const), by: fc.integer({ min: -5_000, max: 5_000 }) }),
      fc.record({ kind: fc.constant('interval' as const), by: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constant('change' as const), by: fc.constant(0) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const wall = new Wall()
        const time = new ChainTime(wall)
        let head = wall.ms
        for (const { kind, by } of steps) {
          let wanted: number | undefined
          if (kind === 'increase') unwrap(time.increase(by))
          else if (kind === 'wall') wall.ms += by
          else if (kind === 'interval') time.setInterval(by === 0 ? undefined : by)
          else if (kind === 'move') time.moveTo(seconds(head) + by, head)
          else if (kind === 'next' && time.setNext(seconds(head) + by, head).ok) wanted = seconds(head) + by
          const next = kind === 'change' ? time.least(head) : time.next(head)
          expect(next).toBeGreaterThan(head)
          if (wanted !== undefined) expect(seconds(next)).toBe(wanted)
          if (kind !== 'change') time.used(next)
          head = next
        }
      }),
    )
  })
})
