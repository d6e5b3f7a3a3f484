import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { executionVersion } from '@quoin/execution'
import { createContracts, Journal, Machine } from '@quoin/execution/contract'
import { describe, expect, it } from 'vitest'
import { testInterpreter } from '../../packages/node/test/interpreter.ts'
import pinned from './contract-vectors.json' with { type: 'json' }
import { linesOf, runVectors, VECTORS } from './contract-vectors.mjs'

const execution = { createContracts, executionVersion, Machine, Journal }
const interpreter = await testInterpreter()
const found = runVectors(execution, interpreter)
/** The same over dist, which `npm test` builds first. */
const program = new URL('./contract-reference.mjs', import.meta.url)

/** Calls that leave an interpreter's instances in every state. */
const WORK: typeof VECTORS = [
  {
    name: 'work',
    abi: ['function f(uint256 how)'],
    source: `const kept = new Map()
      export default { functions: { f(how) {
        kept.set(how, new Uint8Array(300000)); quoin.store('uint256', 'work', how)
        if (how === 1n) for (;;) kept.set({}, [])
        if (how === 2n) for (;;) kept.set({}, new Uint8Array(100000))
        if (how === 3n) { const f = (n) => f(n + 1) + 1; f(0) }
        if (how === 4n) JSON.parse('['.repeat(100000))
      } } }`,
    calls: [0n, 1n, 2n, 3n, 4n].map((how) => ['f', [how], { gas: 2_000_000 }] as const),
  },
]

/** Gas and outcome of contracts, pinned: nodes that differ in either would fork the chain. */
it.each(Object.entries(found))('%s', (name, outcome) => {
  const advice =
    'contracts execute otherwise than before: nodes with and without this change make different chains. If it is meant, the execution version ' +
    `must have changed too (packages/execution/src/version.ts); then record ${JSON.stringify(outcome)} in test/conformance/contract-vectors.json`
  expect(outcome, advice).toEqual((pinned as Readonly<Record<string, unknown>>)[name])
})

it('every pinned vector runs', () => {
  expect(Object.keys(pinned)).toEqual(Object.keys(found))
})

describe('gas and outcome are the same', () => {
  it('in any order, after other work, traps and exhaustion on the same interpreter', () => {
    const again = runVectors(execution, interpreter, [...WORK, ...VECTORS.toReversed(), ...WORK, ...VECTORS])
    for (const [name, outcome] of Object.entries(found)) expect({ name, ...again[name] }).toEqual({ name, ...outcome })
    const alone = VECTORS.toReversed().map((vector) => runVectors(execution, interpreter, [...WORK, vector]))
    expect(Object.assign({}, ...alone)).toMatchObject(found)
  })

  it('in a worker thread', async () => {
    const worker = new Worker(program, { execArgv: [], env: {}, resourceLimits: { stackSizeMb: 16 } })
    const [lines] = (await once(worker, 'message')) as [string[]]
    await worker.terminate()
    expect(lines).toEqual(linesOf(found))
  })

  it.each([
    ['unchanged', []],
    ['baseline compiler only', ['--liftoff-only']],
    ['optimising compiler only', ['--no-liftoff']],
  ] as const)('in another process: %s', async (_, flags) => {
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, fileURLToPath(program)])
    expect(JSON.parse(stdout)).toEqual(linesOf(found))
  })
})
