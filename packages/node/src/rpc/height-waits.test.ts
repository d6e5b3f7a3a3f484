import type { Height } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { HeightWaits } from './height-waits.ts'

function open(blocksMax = 3) {
  const clock = new ManualClock()
  const gone = new AbortController()
  let head = 5
  const waits = new HeightWaits(() => head as Height, clock, blocksMax)
  const answers: [height: number, isReached: boolean][] = []
  const want = (height: number, ms = 100): unknown => {
    const reached = waits.reach(
      height,
      () => ms,
      () => gone.signal,
    )
    if (typeof reached === 'boolean') return reached
    return reached.then((isReached) => answers.push([height, isReached]))
  }
  const grow = async (): Promise<void> => {
    waits.onBlock(++head as Height)
    await Promise.resolve()
  }
  return { clock, gone, waits, answers, want, grow }
}

it('a height that is there needs no promise, no time and no signal', () => {
  const { waits } = open()
  const unused = (): never => {
    throw new Error('was asked')
  }
  for (const height of [0, 4, 5]) expect(waits.reach(height, unused, unused)).toBe(true)
  expect(waits.reach(9, unused, unused)).toBe(false)
})

it('a block ends the waits for its own height', async () => {
  const { answers, want, grow, waits } = open()
  for (const height of [8, 6, 7, 6]) void want(height)
  await grow()
  expect(answers).toEqual([
    [6, true],
    [6, true],
  ])
  expect(waits.size).toBe(2)
  await grow()
  await grow()
  expect(answers.slice(2)).toEqual([
    [7, true],
    [8, true],
  ])
  expect(waits.size).toBe(0)
})

it('a wait ends with its time, with its signal and with the server, and leaves nothing', async () => {
  const { clock, gone, answers, want, waits } = open()
  const slow = want(6, 50)
  const later = want(6, 100)
  clock.advance(50)
  await slow
  expect(answers).toEqual([[6, false]])
  gone.abort()
  await later
  expect(answers).toHaveLength(2)
  expect(waits.size).toBe(0)
  expect(want(6)).toBe(false)

  const other = open()
  const closing = other.want(7)
  other.waits.close()
  await closing
  expect(other.answers).toEqual([[7, false]])
  expect(other.waits.size).toBe(0)
})
