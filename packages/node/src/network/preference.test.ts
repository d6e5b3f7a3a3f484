import { describe, expect, it } from 'vitest'
import { keepsExisting } from './preference.ts'

const sides = [
  ['a', 'b'],
  ['b', 'a'],
] as const
const directions = ['inbound', 'outbound'] as const

describe('of two connections', () => {
  it('that crossed, both sides keep the one that the lesser id dialled, in whatever order they open', () => {
    for (const [self, peer] of sides) {
      for (const existing of directions) {
        const fresh = existing === 'inbound' ? 'outbound' : 'inbound'
        const kept = keepsExisting({ self, peer, existing, fresh, ageMs: 10, crossingMsMax: 100 }) ? existing : fresh
        expect(kept === 'outbound' ? self : peer).toBe('a')
      }
    }
  })

  it('the newer stays when the older is too old to have crossed, or has the same dialler', () => {
    for (const [self, peer] of sides) {
      for (const existing of directions) {
        for (const fresh of directions) {
          expect(keepsExisting({ self, peer, existing, fresh, ageMs: 101, crossingMsMax: 100 })).toBe(false)
        }
        expect(keepsExisting({ self, peer, existing, fresh: existing, ageMs: 0, crossingMsMax: 100 })).toBe(false)
      }
    }
  })
})
