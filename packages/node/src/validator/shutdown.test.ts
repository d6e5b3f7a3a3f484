import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { SHUTDOWN_LIMITS, Shutdown } from './shutdown.ts'

const { gracefulMs, killMs, totalMs } = SHUTDOWN_LIMITS

function world() {
  const clock = new ManualClock()
  const told: string[] = []
  const powers = {
    after: (ms: number, action: () => void) => void clock.after(ms, action),
    kill: () => told.push('killed'),
    warn: (message: string) => told.push(message.slice(0, 'not stopped within 1500 ms'.length)),
  }
  const threads = (name: string) => ({ terminate: () => void told.push(`${name} terminated`) })
  return { clock, told, threads, shutdown: new Shutdown(powers) }
}

describe('the end of a process', () => {
  it('leaves time for each stage within the documented bound', () => {
    expect(gracefulMs).toBeLessThan(killMs)
    expect(killMs).toBeLessThan(totalMs)
  })

  it('terminates the threads that hold it up, then kills itself', () => {
    const { clock, told, threads, shutdown } = world()
    shutdown.own(threads('first'))
    shutdown.own(threads('second'))
    clock.advance(60_000)
    expect([told, shutdown.hasBegun]).toEqual([[], false])
    shutdown.begin()
    shutdown.begin()
    expect([shutdown.hasBegun, shutdown.isForced]).toEqual([true, false])
    clock.advance(gracefulMs - 1)
    expect(told).toEqual([])
    clock.advance(1)
    expect(told).toEqual([`not stopped within ${gracefulMs} ms`, 'first terminated', 'second terminated'])
    expect(shutdown.isForced).toBe(true)
    clock.advance(killMs - gracefulMs)
    expect(told.slice(3)).toEqual([`not stopped within ${killMs} ms`, 'killed'])
  })

  it('terminates threads at once that are added too late', () => {
    const { clock, told, threads, shutdown } = world()
    shutdown.begin()
    clock.advance(gracefulMs)
    shutdown.own(threads('late'))
    expect(told).toEqual([`not stopped within ${gracefulMs} ms`, 'late terminated'])
  })
})
