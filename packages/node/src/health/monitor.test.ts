import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import type { Condition } from './conditions.ts'
import { HealthMonitor, MONITOR_LIMITS } from './monitor.ts'

const { intervalMs, holdMs, repeatMs } = MONITOR_LIMITS

function world() {
  const clock = new ManualClock()
  const told: string[] = []
  const logger = {
    info: (fields: object, message: string) => told.push(`info ${JSON.stringify(fields)} ${message}`),
    warn: (_: object, message: string) => told.push(`warn ${message}`),
  }
  const monitor = new HealthMonitor(clock, logger)
  const present: Condition[] = []
  monitor.watch(() => present)
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += intervalMs) clock.advance(intervalMs)
  }
  return { monitor, present, told, pass, clock }
}

describe('the probes', () => {
  it('are ok while there is no condition', () => {
    const { monitor } = world()
    expect(monitor.live()).toEqual({ isOk: true, body: { status: 'ok' } })
    expect(monitor.ready()).toEqual({ isOk: true, body: { ready: true, reasons: [], warnings: [] } })
    expect(monitor.metrics()).toMatchObject({ ready: 1, 'halted{reason="storage"}': 0, 'unready{reason="no-peers"}': 0 })
    expect(monitor.transactionRefusal).toBeUndefined()
  })

  it('distinguish warnings from conditions that keep requests away', () => {
    const { monitor, present } = world()
    present.push({ code: 'disk-low', message: 'low' })
    expect(monitor.ready()).toMatchObject({ isOk: true, body: { ready: true, warnings: [{ code: 'disk-low' }] } })
    expect(monitor.metrics()).toMatchObject({ ready: 1, 'warning{reason="disk-low"}': 1 })
    present.push({ code: 'syncing', message: 'behind' })
    expect(monitor.ready()).toMatchObject({ isOk: false, body: { ready: false, reasons: [{ code: 'syncing' }] } })
    expect(monitor.metrics()).toMatchObject({ ready: 0, 'unready{reason="syncing"}': 1 })
    expect(monitor.live().isOk).toBe(true)
  })

  it('report only the first fatal error, and no transaction is accepted from then on', async () => {
    const { monitor } = world()
    monitor.fail(Object.assign(new Error('no room'), { code: 'ENOSPC' }))
    monitor.fail(new Error('a consequence'))
    expect(await monitor.ended).toEqual({ code: 'disk-full', message: 'no room' })
    expect(monitor.live()).toEqual({ isOk: false, body: { status: 'failed', reason: { code: 'disk-full', message: 'no room' } } })
    expect(monitor.ready().isOk).toBe(false)
    expect(monitor.metrics()).toMatchObject({ ready: 0, 'halted{reason="disk-full"}': 1, 'halted{reason="failed"}': 0 })
    expect(monitor.transactionRefusal).toContain('disk-full')
  })
})

describe('the log', () => {
  it('names a condition that lasts, again after a while, and its end', () => {
    const { present, told, pass } = world()
    present.push({ code: 'no-peers', message: 'nobody' })
    pass(holdMs)
    expect(told).toEqual([])
    pass(intervalMs)
    expect(told).toEqual(['warn nobody'])
    pass(repeatMs - intervalMs)
    expect(told.length).toBe(1)
    pass(intervalMs)
    expect(told.length).toBe(2)
    present.pop()
    pass(intervalMs)
    expect(told[2]).toBe(`info {"condition":"no-peers","lastedMs":${holdMs + repeatMs + intervalMs}} the condition is over`)
  })

  it('ignores conditions that end quickly', () => {
    const { present, told, pass } = world()
    for (let i = 0; i < 5; i++) {
      present.push({ code: 'no-quorum', message: 'few' })
      pass(holdMs - intervalMs)
      present.pop()
      pass(intervalMs)
    }
    expect(told).toEqual([])
  })

  it('ends with the monitor', () => {
    const { monitor, present, told, clock } = world()
    present.push({ code: 'no-peers', message: 'nobody' })
    monitor.close()
    clock.advance(10 * holdMs)
    expect(told).toEqual([])
  })
})
