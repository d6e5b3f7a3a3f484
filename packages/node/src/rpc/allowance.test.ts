import { expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { Allowances } from './allowance.ts'
import { rpcMethods } from './methods/index.ts'
import { weightOf, weightOfText } from './weights.ts'

it('an address may use its burst, then its rate, and learns when it may retry', () => {
  const clock = new ManualClock()
  const allowances = new Allowances(clock, { unitsPerSecond: 10, unitsBurst: 30 })
  expect([allowances.take('a', 20), allowances.take('a', 10), allowances.take('a', 1)]).toEqual([0, 0, 100])
  expect(allowances.take('b', 30)).toBe(0)
  clock.advance(50)
  expect(allowances.take('a', 1)).toBe(50)
  clock.advance(200)
  expect([allowances.take('a', 2), allowances.take('a', 1)]).toEqual([0, 50])
  // A pause fills the bucket, no further.
  clock.advance(1e9)
  expect([allowances.take('a', 30), allowances.take('a', 1)]).toEqual([0, 100])
  // A cost above the burst takes the whole bucket.
  clock.advance(1e9)
  expect([allowances.take('a', 1_000), allowances.take('a', 1)]).toEqual([0, 100])
  allowances.set({ unitsPerSecond: 0, unitsBurst: 0 })
  expect(allowances.take('a', 1e9)).toBe(0)
})

it('a cost that shows while a call runs is always taken, and the next call waits for it', () => {
  const clock = new ManualClock()
  const allowances = new Allowances(clock, { unitsPerSecond: 10, unitsBurst: 30 })
  allowances.take('a', 10)
  allowances.charge('a', 25)
  expect(allowances.take('a', 1)).toBe(600)
  // The debt ends at a whole bucket, however many calls run.
  for (let i = 0; i < 3; i++) allowances.charge('a', 1_000)
  expect([allowances.take('a', 1), allowances.take('b', 30)]).toEqual([3_100, 0])
  clock.advance(6_000)
  expect(allowances.take('a', 30)).toBe(0)
  allowances.set({ unitsPerSecond: 0, unitsBurst: 0 })
  allowances.charge('a', 1e9)
  expect(allowances.take('a', 1e9)).toBe(0)
})

it('gives expensive methods more weight, and full blocks their own weight', () => {
  expect(weightOf('eth_chainId', [])).toBe(1)
  expect([0, 1_023, 1_024, 96 * 1_024].map(weightOfText)).toEqual([0, 0, 1, 96])
  expect(weightOf('eth_getBlockByNumber', ['latest', false])).toBeLessThan(weightOf('eth_getBlockByNumber', ['latest', true]))
  for (const name of Object.keys(rpcMethods)) expect(weightOf(name, ['latest', true])).toBeLessThanOrEqual(1_400)
})

it('counts what a request asks for, whatever its form', () => {
  expect(weightOf('eth_getStorageValues', [{ a: ['0x', '0x'], b: ['0x'], c: 5 }])).toBe(4)
  expect(weightOf('eth_getStorageValues', [{ a: new Array(5_000).fill('0x') }])).toBe(1_400)
  const blocks = [{ calls: [{}, {}] }, {}, { calls: 7 }, null, 'calls']
  expect(weightOf('eth_simulateV1', [{ blockStateCalls: blocks }])).toBe(107)
  for (const first of [undefined, null, 5, 'text', [], [[]], { blockStateCalls: 'text' }])
    for (const name of ['eth_simulateV1', 'eth_getStorageValues']) expect(weightOf(name, [first])).toBeLessThanOrEqual(101)
  expect([weightOf('eth_simulateV1', undefined), weightOf('eth_getStorageValues', {})]).toEqual([100, 1])
})
