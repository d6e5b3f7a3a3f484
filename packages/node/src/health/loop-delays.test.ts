import { afterEach, expect, it, vi } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { LOOP_WINDOW_MS, LoopDelays } from './loop-delays.ts'

/** A histogram with a single value. */
class Peak {
  max = 0
  isEnabled = false
  percentile = () => this.max
  reset = () => {
    this.max = 0
  }
  enable = () => (this.isEnabled = true)
  disable = () => (this.isEnabled = false)
}

let delays: LoopDelays | undefined
afterEach(() => delays?.close())

it('a delay is shown for at least half a window and at most a whole one, however often it is read', () => {
  const clock = new ManualClock()
  const peaks: Peak[] = []
  delays = new LoopDelays(clock, () => {
    const peak = new Peak()
    peaks.push(peak)
    return peak
  })
  const happen = (ms: number) => {
    for (const peak of peaks) peak.max = Math.max(peak.max, 1e6 * (ms + 10))
  }
  for (const after of [0, 1, LOOP_WINDOW_MS / 2 - 1]) {
    clock.advance(after)
    happen(300)
    for (let ms = 0; ms < LOOP_WINDOW_MS / 2; ms += 1_000) {
      expect(delays.read()).toEqual({ p99Ms: 300, maxMs: 300 })
      clock.advance(1_000)
    }
    clock.advance(LOOP_WINDOW_MS / 2)
    expect(delays.read()).toEqual({ p99Ms: 0, maxMs: 0 })
  }
  delays.close()
  expect(peaks.map(({ isEnabled }) => isEnabled)).toEqual([false, false])
})

it('measures that this thread was blocked', async () => {
  const seen = new LoopDelays(new ManualClock())
  delays = seen
  await vi.waitUntil(() => {
    const end = performance.now() + 100
    while (performance.now() < end);
    return seen.read().maxMs > 50
  })
  expect(seen.read().maxMs).toBeGreaterThan(50)
})
