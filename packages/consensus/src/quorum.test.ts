import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addPower, isHonest, isQuorum } from './quorum.ts'

const power = fc.integer({ min: 0, max: 2 ** 39 })
/** A total and two quorums of it. */
const twoQuorums = fc.integer({ min: 1, max: 2 ** 39 }).chain((total) => {
  const quorum = fc.integer({ min: Math.floor((2 * total) / 3) + 1, max: total })
  return fc.tuple(fc.constant(total), quorum, quorum)
})

describe('thresholds', () => {
  it('are the exact fractions', () => {
    fc.assert(
      fc.property(power, fc.integer({ min: 1, max: 2 ** 39 }), (part, total) => {
        expect(isQuorum(part, total)).toBe(3n * BigInt(part) > 2n * BigInt(total))
        expect(isHonest(part, total)).toBe(3n * BigInt(part) > BigInt(total))
      }),
    )
  })

  it('make two quorums share more than f', () => {
    fc.assert(
      fc.property(twoQuorums, ([total, a, b]) => {
        expect([isQuorum(a, total), isQuorum(b, total)]).toEqual([true, true])
        expect(isHonest(a + b - total, total)).toBe(true)
      }),
    )
  })

  it('at the edges: 2 of 3 is no quorum, 3 of 4 is; 1 of 3 is not honest, 2 of 4 is', () => {
    expect([isQuorum(2, 3), isQuorum(3, 4), isHonest(1, 3), isHonest(2, 4)]).toEqual([false, true, false, true])
  })

  it('refuse what has no exact answer', () => {
    expect(() => isQuorum(2 ** 52, 2 ** 52)).toThrow(RangeError)
    expect(() => isQuorum(1, 0)).toThrow(RangeError)
    expect(() => isHonest(-1, 4)).toThrow(RangeError)
    expect(() => addPower(Number.MAX_SAFE_INTEGER, 1)).toThrow(RangeError)
  })
})
