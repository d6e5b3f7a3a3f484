import { expect, it } from 'vitest'
import { crypto } from '../test/chain.ts'
import { describeExecution, executionVersion } from './version.ts'

/**
 * A change here is a consensus change: chains of the former version stop accepting blocks of this one. Raise `RULES_REVISION` for
 * a change that shows nowhere else.
 */
it('is pinned', () => {
  expect(executionVersion(crypto)).toBe('0x49ea5ed585b8df58be6eec99736e5dd9bd60d918d7aeafd4caca8af6e683c918')
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
