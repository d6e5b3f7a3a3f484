import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { deferred } from '../../test/network.ts'
import { NETWORK_LIMITS } from './limits.ts'
import { Names, type NodeName, type Resolve, systemResolve } from './names.ts'
import { Timers } from './timers.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))
const dns4 = (name: string): NodeName => ({ kind: 'dns4', name })

const open: Names[] = []
afterEach(() => Promise.all(open.splice(0).map((names) => names.close())))

function setUp(resolve: Resolve, limits = {}) {
  const clock = new ManualClock()
  const told: string[] = []
  const logger = { debug() {}, info() {}, warn: (fields: object) => told.push(JSON.stringify(fields)) }
  const names = new Names({ resolve, limits: { ...NETWORK_LIMITS, ...limits }, timers: new Timers(clock), logger })
  open.push(names)
  return { clock, told, names }
}

describe('names of nodes', () => {
  it('have the addresses that they are resolved to, and others none', async () => {
    const { names } = setUp(async ({ name }) => (name === 'a' ? ['10.0.0.1', 'fd00::1'] : ['10.0.0.2', 'nonsense']))
    names.set([dns4('a'), dns4('b')])
    expect(names.has('10.0.0.1')).toBe(false)
    await settled()
    expect(['10.0.0.1', '::ffff:10.0.0.1', 'fd00::1', '10.0.0.2', '10.0.0.3'].map((ip) => names.has(ip))).toEqual([
      ...[true, true, true, true, false],
    ])
    names.set([dns4('b')])
    expect([names.has('10.0.0.1'), names.has('10.0.0.2')]).toEqual([false, true])
  })

  it('are resolved again and again, and follow a name that moves', async () => {
    let ip = '10.0.0.1'
    let lookups = 0
    const { clock, names } = setUp(async () => {
      lookups++
      return [ip]
    })
    names.set([dns4('a')])
    await settled()
    names.set([dns4('a')])
    await settled()
    expect(lookups).toBe(1)
    ip = '10.0.0.2'
    clock.advance(NETWORK_LIMITS.nameRefreshMs)
    await settled()
    expect([names.has('10.0.0.1'), names.has('10.0.0.2'), lookups]).toEqual([false, true, 2])
  })

  it('keep their last good answer, and say once that there is no new one', async () => {
    let fails = false
    const { clock, told, names } = setUp(async () => {
      if (fails) throw new Error('SERVFAIL')
      return ['10.0.0.1']
    })
    names.set([dns4('a')])
    await settled()
    fails = true
    for (let i = 0; i < 3; i++) {
      clock.advance(NETWORK_LIMITS.nameRefreshMs)
      await settled()
    }
    expect([names.has('10.0.0.1'), told]).toEqual([true, ['{"name":"/dns4/a","reason":"SERVFAIL"}']])
  })

  it('that come while others are looked up have their turn', async () => {
    const first = deferred<readonly string[]>()
    const { names } = setUp(({ name }) => (name === 'slow' ? first.promise : Promise.resolve(['10.0.0.2'])))
    names.set([dns4('slow')])
    await settled()
    names.set([dns4('slow'), dns4('b')])
    first.resolve(['10.0.0.1'])
    await settled()
    expect([names.has('10.0.0.1'), names.has('10.0.0.2')]).toEqual([true, true])
  })

  it('that hang are left behind after a while, and not many of them at a time', async () => {
    let hanging = 0
    const { clock, told, names } = setUp(({ name }) => {
      if (name === 'z') return Promise.resolve(['10.0.0.9'])
      hanging++
      return new Promise(() => {})
    })
    names.set(['a', 'b', 'c', 'd', 'z'].map(dns4))
    for (let i = 0; i < 6; i++) {
      await settled()
      clock.advance(NETWORK_LIMITS.nameMsMax)
    }
    expect(hanging).toBe(NETWORK_LIMITS.nameLookupsMax)
    expect(told.length).toBeGreaterThanOrEqual(5)
    expect(names.has('10.0.0.9')).toBe(false)
  })

  it('are bounded, as are their addresses', async () => {
    let lookups = 0
    const { names } = setUp(
      async () => {
        lookups++
        return Array.from({ length: 20 }, (_, i) => `10.0.0.${i}`)
      },
      { namesCountMax: 3, nameAddressesMax: 4 },
    )
    names.set(Array.from({ length: 10 }, (_, i) => dns4(`n${i}`)))
    await settled()
    expect([lookups, names.has('10.0.0.3'), names.has('10.0.0.4')]).toEqual([3, true, false])
  })
})

it('the operating system knows localhost', async () => {
  expect(await systemResolve(dns4('localhost'))).toEqual(['127.0.0.1'])
})
