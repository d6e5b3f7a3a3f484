import { describe, expect, it } from 'vitest'
import { round } from '../test/fixtures.ts'
import { DEFAULT_TIMEOUTS, timeoutMs } from './timeouts.ts'

const KINDS = ['propose', 'prevote', 'precommit'] as const

describe('timeouts', () => {
  it('grow by one delta a round', () => {
    for (const kind of KINDS) {
      const steps = [0, 1, 2, 3].map((r) => timeoutMs(DEFAULT_TIMEOUTS, kind, round(r)))
      const delta = DEFAULT_TIMEOUTS[`${kind}DeltaMs`]
      expect(steps).toEqual([0, 1, 2, 3].map((r) => DEFAULT_TIMEOUTS[`${kind}BaseMs`] + r * delta))
    }
  })

  it('incident 6: never run away, whatever the round', () => {
    for (const kind of KINDS) expect(timeoutMs(DEFAULT_TIMEOUTS, kind, round(2 ** 32 - 1))).toBe(DEFAULT_TIMEOUTS.timeoutMaxMs)
  })
})
