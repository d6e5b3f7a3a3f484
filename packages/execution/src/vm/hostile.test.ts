import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { engineBinary, watchedPower } from '../../test/engine.ts'
import { HOSTILE } from '../../test/hostile.mjs'
import { HOSTILE_GAS } from '../../test/hostile-gas.ts'
import { createEngine } from './engine.ts'
import type { HostHandlers, HostTable } from './host.ts'

const GAS_LIMIT = 40_000_000

const host: HostTable = [
  { name: 'get', gas: 500, parameters: ['string'] },
  { name: 'put', gas: 500, parameters: ['string', 'bytes'] },
]
const handlers: HostHandlers = { get: () => undefined, put: (_, __: string, bytes: Uint8Array) => bytes.length }

const { power, lastUsed } = watchedPower()
const engine = createEngine({ wasm: power, binary: engineBinary(), host })
const hashOfMemory = () => createHash('sha256').update(lastUsed()).digest('hex')

interface Found {
  readonly ends: string
  readonly says: unknown
  readonly gas: number
}

function attack({ source }: { readonly source: string }): Found {
  const compiled = engine.compile({ source, gas: GAS_LIMIT, handlers })
  if (!compiled.ok) {
    const { error } = compiled
    if (error.kind === 'fault' || error.kind === 'too-large') throw new Error(error.kind)
    return { ends: 'compile', says: error.kind === 'throw' ? error.message : error.kind, gas: error.gasUsed }
  }
  const { image, gasUsed } = compiled.value
  const outcome = engine.call({ image, entry: 'run', values: [], handlers, gas: GAS_LIMIT })
  if (outcome.kind === 'fault') throw outcome.error
  const says = outcome.kind === 'return' ? outcome.value : outcome.kind === 'throw' ? outcome.error.message : undefined
  return { ends: outcome.kind, says, gas: gasUsed + outcome.gasUsed }
}

/** A call that uses much of the interpreter: its result, gas and memory tell whether an attack left anything behind. */
const reference = engine.compile({
  source: `
    const table = new Map(); for (let i = 0; i < 50; i++) table.set('k' + i, BigInt(i) ** 20n)
    export const run = async (seed) => {
      const found = JSON.stringify([...table].filter(([k]) => /7|3$/.test(k)), (k, v) => typeof v === 'bigint' ? String(v) : v)
      await null
      return [found.length, seed, host.get('x') ?? 'none', ({}).then, typeof Object.keys, Math.max(1.5, NaN)].join()
    }`,
  gas: GAS_LIMIT,
})
if (!reference.ok) throw new Error('the reference does not compile')
const { image } = reference.value
const callReference = () => {
  const outcome = engine.call({ image, entry: 'run', values: ['seed'], handlers, gas: GAS_LIMIT })
  return { outcome, memory: hashOfMemory() }
}
const expected = callReference()

describe('hostile scripts end as they must, at exact gas, and leave nothing behind', () => {
  it('the reference call works', () => {
    expect(expected.outcome).toMatchObject({ kind: 'return', value: expect.stringMatching(/^\d+,seed,none,,function,NaN$/) })
  })

  it.each(HOSTILE.map((script) => [script.name, script] as const))('%s', (name, script) => {
    const found = attack(script)
    expect({ ...found, gas: HOSTILE_GAS[name] === found.gas ? 'as pinned' : `found ${found.gas}` }).toEqual({
      ends: script.ends,
      says: script.says ?? found.says,
      gas: 'as pinned',
    })
    expect(callReference()).toEqual(expected)
  })

  it('every pinned gas belongs to a script', () => {
    expect(Object.keys(HOSTILE_GAS).toSorted()).toEqual(HOSTILE.map(({ name }) => name).toSorted())
  })
})
