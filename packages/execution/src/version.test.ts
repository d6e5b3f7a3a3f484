import { expect, it } from 'vitest'
import { crypto } from '../test/chain.ts'
import { describeExecution, executionVersion } from './version.ts'

/**
 * A change here is a consensus change: chains of the former version stop accepting blocks of this one. Raise `RULES_REVISION` for
 * a change that shows nowhere else.
 */
it('is pinned', () => {
  expect(executionVersion(crypto)).toBe('0x5f124f4a58665e95effe3a4ab8c4c731e9d4d5d27c39c45d9a0a4a64dc93e5f7')
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
