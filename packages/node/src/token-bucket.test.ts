import { expect, it } from 'vitest'
import { ManualClock } from '../test/clock.ts'
import { TokenBucket } from './token-bucket.ts'

it('starts full, may be overdrawn, and refills to its capacity', () => {
  const clock = new ManualClock()
  const bucket = new TokenBucket(clock, { perSecond: 1_000, burst: 5_000 })
  expect([bucket.left, bucket.isFull, bucket.waitMs]).toEqual([5_000, true, 0])
  bucket.take(5_500)
  expect([bucket.left, bucket.isFull, bucket.waitMs]).toEqual([-500, false, 500])
  clock.advance(500)
  expect([bucket.left, bucket.waitMs]).toEqual([0, 0])
  clock.advance(60_000)
  expect([bucket.left, bucket.isFull]).toEqual([5_000, true])
})

it('takes back unused tokens', () => {
  const bucket = new TokenBucket(new ManualClock(), { perSecond: 1, burst: 10 })
  bucket.take(12)
  bucket.take(-5)
  expect(bucket.left).toBe(3)
})
