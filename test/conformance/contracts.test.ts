import { createContracts, Journal, Machine } from '@quoin/execution/contract'
import { expect, it } from 'vitest'
import { testEngine } from '../../packages/node/test/engine.ts'
import pinned from './contract-vectors.json' with { type: 'json' }
import { runVectors } from './contract-vectors.mjs'

const found = runVectors({ createContracts, Machine, Journal }, await testEngine())

/** Gas and outcome of contracts, pinned: nodes that differ in either make different chains. */
it.each(Object.entries(found))('%s', (name, outcome) => {
  const advice =
    'contracts execute otherwise than before: nodes with and without this change make different chains. If it is meant, the execution version ' +
    `must have changed too (packages/execution/src/version.ts); then record ${JSON.stringify(outcome)} in test/conformance/contract-vectors.json`
  expect(outcome, advice).toEqual((pinned as Readonly<Record<string, unknown>>)[name])
})

it('every pinned vector runs', () => {
  expect(Object.keys(pinned)).toEqual(Object.keys(found))
})
