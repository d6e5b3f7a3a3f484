import { expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { Turns } from './turns.ts'

const SLICE_MS = 5
const [a, b] = [
  { remote: 'a', connection: 1 },
  { remote: 'b', connection: 2 },
]
const iteration = () => new Promise<void>((resolve) => setImmediate(resolve))

it('a slice is over when the work of an iteration has used its time, and starts again with the next iteration', async () => {
  const clock = new ManualClock()
  const turns = new Turns(clock, SLICE_MS)
  expect(turns.isOver()).toBe(false)
  clock.advance(SLICE_MS)
  expect(turns.isOver()).toBe(true)
  await iteration()
  expect(turns.isOver()).toBe(false)
})

it('clients continue one after another, within an iteration as long as the slice lasts', async () => {
  const clock = new ManualClock()
  const turns = new Turns(clock, SLICE_MS)
  const order: string[] = []
  let iterations = 0
  const work = async (client: typeof a, pieces: number) => {
    for (let i = 0; i < pieces; i++) {
      await turns.next(client)
      order.push(`${client.remote}@${iterations}`)
      clock.advance(2)
    }
  }
  const count = () => {
    iterations++
    if (order.length < 7) setImmediate(count)
  }
  setImmediate(count)
  await Promise.all([work(a, 5), work(b, 2)])
  expect(order.map((entry) => entry[0]).join('')).toBe('ababaaa')
  // Three pieces of 2 ms fill a slice of 5 ms; a client that waits again takes a turn of the next.
  for (const n of new Set(order.map((entry) => entry.slice(2)))) {
    expect(order.filter((entry) => entry.slice(2) === n).length).toBeLessThanOrEqual(3)
  }
  expect(turns.waiting).toBe(0)
})
