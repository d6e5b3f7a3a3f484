import { expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { REFUSAL_LOG_LIMITS, RefusalLog } from './refusal-log.ts'

const { intervalMs, namesCountMax } = REFUSAL_LOG_LIMITS

it('names each once per interval, and a limited number', () => {
  const clock = new ManualClock()
  const told: object[] = []
  const log = new RefusalLog(clock, { warn: (fields) => told.push(fields) })
  for (let i = 0; i < 100; i++) log.refused('a', 'why')
  expect(told).toEqual([{ who: 'a' }])
  clock.advance(intervalMs - 1)
  log.refused('a', 'why')
  expect(told.length).toBe(1)
  clock.advance(1)
  for (let i = 0; i < 10_000; i++) log.refused(`peer ${i}`, 'why')
  expect(told.length).toBe(1 + namesCountMax)
  clock.advance(intervalMs)
  log.refused('a', 'why')
  expect(told.slice(-2)).toEqual([{ count: 10_000 - namesCountMax }, { who: 'a' }])
})
