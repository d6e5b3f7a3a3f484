import { expect, it } from 'vitest'
import { crypto } from '../test/chain.ts'
import { describeExecution, executionVersion } from './version.ts'

/**
 * A change here is a consensus change: chains of the former version stop accepting blocks of this one. Raise `RULES_REVISION` for
 * a change that shows nowhere else.
 */
it('is pinned', () => {
  expect(executionVersion(crypto)).toBe('0x6547abd9e3a35e59d4b050c6f0ea2c0c2f95df5b6214b67f7c466e5d6aa1b7b8')
})

it('describes every table and sample, sorted, each once', () => {
  const lines = describeExecution(crypto).split('\n')
  const names = lines.map((line) => line.split(' ')[0])
  expect(names).toEqual([...new Set(names)].toSorted())
  for (const name of [
    'gas.transaction',
    'fees.baseFeeChangeDenominator',
    'limits.blockGasMax',
    'sample.receipt',
    'record.validators',
  ])
    expect(names).toContain(name)
})
