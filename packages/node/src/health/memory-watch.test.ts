import { expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { MEMORY_LIMITS, MemoryWatch, residentBytesMax } from './memory-watch.ts'

const { intervalMs } = MEMORY_LIMITS

function world() {
  const clock = new ManualClock()
  const told: string[] = []
  const use = { residentBytes: 0, heapBytes: 0, heapBytesMax: 1_000 }
  let shrinks = 0
  const say = (_: object, message: string) => void told.push(message.slice(0, 'memory is no longer'.length))
  const memory = new MemoryWatch({
    ...{ residentBytesMax: 1_000, clock, logger: { info: say, warn: say }, read: () => ({ ...use }) },
  })
  memory.onShort(() => {
    shrinks++
  })
  const at = (residentBytes: number, heapBytes: number) => {
    Object.assign(use, { residentBytes, heapBytes })
    clock.advance(intervalMs)
    return memory.isHigh
  }
  return { memory, at, told, shrinks: () => shrinks }
}

it('is short above the upper mark of either limit, until both are below the lower one, and logs each change once', () => {
  const { memory, at, told, shrinks } = world()
  expect([at(950, 950), shrinks()]).toEqual([false, 0])
  expect([at(951, 0), at(951, 0), at(851, 0)]).toEqual([true, true, true])
  expect(memory.conditions()).toMatchObject([{ code: 'memory-high' }])
  expect(shrinks()).toBe(3)
  expect(at(850, 850)).toBe(false)
  expect(told).toEqual(['memory is short, re', 'memory is no longer'])
  expect([at(0, 951), at(0, 851), at(0, 850)]).toEqual([true, true, false])
  expect(memory.conditions()).toEqual([])
  memory.close()
  expect(at(2_000, 2_000)).toBe(false)
})

it('uses the configured limit, or by default most of the memory of the machine', () => {
  expect(residentBytesMax(5)).toBe(5)
  expect(residentBytesMax(0)).toBeGreaterThan(100 * 1024 * 1024)
  expect(Number.isSafeInteger(residentBytesMax(0))).toBe(true)
})
