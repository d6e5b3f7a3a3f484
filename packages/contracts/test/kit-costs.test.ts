import { readFileSync } from 'node:fs'
import type { Abi } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, type Contract, createChain } from '../src/testing/index.ts'
import { built, Project } from './build/project.ts'

/** The gas that docs/kit.md states for each operation of the state (*What the state costs*). */

const PAGE = readFileSync(new URL('../../../docs/kit.md', import.meta.url), 'utf8')
const SECTION = PAGE.slice(PAGE.indexOf('**What the state costs.**'))
/** Operation → gas for a new key, and for a key that the transaction has used. */
const STATED = new Map(
  [...SECTION.matchAll(/^\| `([^`]+)`[^|]* \| ([\d,]+|–) \| ([\d,]+|–) \|$/gm)].map(([, name, first, again]) => [
    name!,
    [first!, again!].map((text) => (text === '–' ? undefined : Number(text.replaceAll(',', '')))),
  ]),
)
/** The page rounds; a larger difference means that a price or the kit has changed. */
const TOLERANCE = 0.1

const KINDS = {
  value: "value('uint256')",
  mapping: "mapping('uint256', 'uint256')",
  struct: "mapping('uint256', { name: 'string', score: 'uint256', owner: 'address' })",
  list: "list('uint256')",
  set: "set('uint256')",
  table: "table({ key: { score: 'uint256', id: 'uint64' }, row: { there: 'bool' } })",
} as const

/** Each operation as an expression of the state's field `f`, a number `i` from 1, and `sender`. */
const OPERATIONS: Readonly<Record<string, readonly [kind: keyof typeof KINDS, expression: string]>> = {
  'value.get()': ['value', 'f.get()'],
  'value.set(v)': ['value', 'f.set(i)'],
  'mapping.get(k)': ['mapping', 'f.get(i)'],
  'mapping.set(k, v)': ['mapping', 'f.set(i, i)'],
  'struct.get(k)': ['struct', 'f.get(i)'],
  'struct.set(k, v)': ['struct', "f.set(i, { name: 'entry 17', score: i, owner: sender })"],
  'list.get(i)': ['list', 'f.get(i - 1n)'],
  'list.push(v)': ['list', 'f.push(i)'],
  'set.has(v)': ['set', 'f.has(i)'],
  'set.add(v)': ['set', 'f.add(i)'],
  'set.remove(v)': ['set', 'f.remove(i)'],
  'table.get(k)': ['table', 'f.get({ score: (i * 7919n) % 10007n, id: i })'],
  'table.put(k, row)': ['table', 'f.put({ score: (i * 7919n) % 10007n, id: i }, { there: true })'],
  'table.remove(k)': ['table', 'f.remove({ score: (i * 7919n) % 10007n, id: i })'],
}

/** Loops over a whole field: the gas of each step. */
const LOOPS: Readonly<Record<string, readonly [kind: keyof typeof KINDS, expression: string]>> = {
  'for (… of list)': ['list', 'for (const _ of f) {}'],
  'for (… of set)': ['set', 'for (const _ of f) {}'],
  'for (… of table.keys())': ['table', 'for (const _ of f.keys()) {}'],
  'for (… of table.range())': ['table', 'for (const _ of f.range()) {}'],
}

/** A contract with a function for each operation that runs it on `count` keys from `from`, and one that runs it `count` times on the key `from`. */
function sourceOf(): string {
  const functions = [...Object.values(OPERATIONS), ...Object.values(LOOPS)].flatMap(([kind, expression], n) => {
    if (expression.startsWith('for')) return [[`f${n}`, kind, expression]]
    return [
      [`f${n}`, kind, `for (let i = from; i < from + count; i++) { ${expression} }`],
      [`g${n}`, kind, `const i = from; for (let n = 0n; n < count; n++) { ${expression} }`],
    ]
  })
  functions.push(['idle', 'value', 'for (let i = from; i < from + count; i++) {}'])
  return `import { contract, list, mapping, set, table, value } from '@quoin/contracts'
export default contract({
  abi: [${functions.map(([name]) => `'function ${name}(uint256 from, uint256 count)'`).join(', ')}],
  state: { ${Object.entries(KINDS)
    .map(([name, field]) => `${name}: ${field}`)
    .join(', ')} },
  functions: {
    ${functions.map(([name, kind, body]) => `${name}({ state, sender }, from, count) { const f = state.${kind}; ${body} },`).join('\n    ')}
  },
} as any)`
}

const FILLED = 100n
const COUNT = 20n

let chain: Chain
let contract: Contract
beforeAll(async () => {
  const project = new Project({ 'contracts/costs.ts': sourceOf() })
  try {
    const artifact = built(await project.build(['contracts/costs.ts']))
    chain = await createChain()
    contract = (await chain.deploy({ ...artifact, abi: artifact.abi as Abi })) as Contract
  } finally {
    project.remove()
  }
  // Fill each kind with 100 entries.
  for (const operation of ['mapping.set(k, v)', 'struct.set(k, v)', 'list.push(v)', 'set.add(v)', 'table.put(k, row)'])
    for (let from = 1n; from <= FILLED; from += COUNT) await run(operation, from, COUNT)
}, 60_000)
afterAll(() => chain.close())

const NAMES = [...Object.keys(OPERATIONS), ...Object.keys(LOOPS)]
const functionOf = (operation: string): string => `f${NAMES.indexOf(operation)}`
const run = (operation: string, from: bigint, count: bigint) => contract.write[functionOf(operation)]!([from, count])

/** Gas of a transaction in a block in which the code was used before. */
async function gasOf(name: string, from: bigint, count: bigint): Promise<number> {
  const snapshot = chain.snapshot()
  const [, { gasUsed }] = await chain.batch(
    () => [contract.write['idle']!([0n, 0n]), contract.write[name]!([from, count])] as const,
  )
  await chain.revert(snapshot)
  return Number(gasUsed)
}

/** Gas of one operation in a loop over keys that the transaction has not used, without the loop. A value has only one key. */
async function ofNewKey(operation: string, from: bigint): Promise<number> {
  const name = functionOf(operation)
  const without = async (count: bigint) => (await gasOf(name, from, count)) - (await gasOf('idle', from, count))
  return OPERATIONS[operation]![0] === 'value' ? without(1n) : ((await without(COUNT + 1n)) - (await without(1n))) / Number(COUNT)
}

/** Gas of one operation on a key that the transaction has used. */
async function ofSameKey(operation: string, key: bigint): Promise<number> {
  const name = functionOf(operation).replace('f', 'g')
  const without = async (count: bigint) => (await gasOf(name, key, count)) - (await gasOf('idle', key, count))
  return ((await without(COUNT + 1n)) - (await without(1n))) / Number(COUNT)
}

const differs = (stated: number | undefined, measured: number): number => Math.abs(measured - (stated ?? 0)) / measured

describe('docs/kit.md', () => {
  it('states every operation that is measured here, and no other', () => {
    expect([...STATED.keys()].sort()).toEqual([...NAMES].sort())
  })

  it.each(Object.keys(OPERATIONS))('states the gas of %s', async (operation) => {
    const [first, again] = STATED.get(operation) ?? []
    const measured = await ofNewKey(operation, /push|add|put/.test(operation) ? FILLED + 1n : 1n)
    expect(differs(first, measured), `${operation} takes ${Math.round(measured)} gas`).toBeLessThan(TOLERANCE)
    if (/remove|push/.test(operation)) return
    const repeated = await ofSameKey(operation, 1n)
    expect(differs(again, repeated), `${operation} takes ${Math.round(repeated)} gas again`).toBeLessThan(TOLERANCE)
  })

  it.each(Object.keys(LOOPS))('states the gas of a step of %s', async (operation) => {
    const measured = ((await gasOf(functionOf(operation), 0n, 0n)) - (await gasOf('idle', 0n, 0n))) / Number(FILLED)
    expect(
      differs(STATED.get(operation)?.[0], measured),
      `a step of ${operation} takes ${Math.round(measured)} gas`,
    ).toBeLessThan(TOLERANCE)
  })
})
