import { expect, it } from 'vitest'
import { crypto } from '../test/chain.ts'
import { describeExecution, executionVersion } from './version.ts'

/**
 * A change here is a change of consensus: chains of the former version stop accepting blocks of this one. Raise `RULES_REVISION` for a
 * change that shows nowhere else.
 */
it('is pinned', () => {
  expect(executionVersion(crypto)).toBe('0xca16c450ca9eb62d8696c5bfd3de606931611fcef522048e9b70ef9612d81214')
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
