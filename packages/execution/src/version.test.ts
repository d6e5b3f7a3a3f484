import { expect, it } from 'vitest'
import { crypto } from '../test/chain.ts'
import { describeExecution, executionVersion } from './version.ts'

/**
 * A change here is a consensus change: chains of the former version stop accepting blocks of this one. Raise `RULES_REVISION` for
 * a change that shows nowhere else.
 */
it('is pinned', () => {
  expect(executionVersion(crypto)).toBe('0xe268800bdb819b5a48a101cfd14fea1b4be825a5021fe2f6c8baf076abd5b516')
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
    'record.roster',
    'entry.account',
    'lane.transactionGasMax',
    'native.chain',
  ])
    expect(names).toContain(name)
})
