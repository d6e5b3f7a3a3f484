import { describe, expect, it } from 'vitest'
import { HOSTILE } from '../../test/hostile.mjs'
import { HOSTILE_GAS } from '../../test/hostile-gas.ts'
import { attack, HOSTILE_GAS_LIMIT, HOSTILE_HOST, hostileHandlers } from '../../test/hostile-host.mjs'
import { interpreterBinary, watchedPower } from '../../test/interpreter.ts'
import { HostRefusal } from './host-function.ts'
import { createInterpreter } from './interpreter.ts'

const handlers = hostileHandlers(HostRefusal)

const { power, lastUsed } = watchedPower()
const interpreter = createInterpreter({ wasm: power, binary: interpreterBinary(), host: HOSTILE_HOST })

/** A call that uses much of the interpreter. Its result, gas and memory show whether an attack left anything behind. */
const reference = interpreter.compile({
  source: `
    const table = new Map(); for (let i = 0; i < 50; i++) table.set('k' + i, BigInt(i) ** 20n)
    export const run = async (seed) => {
      const found = JSON.stringify([...table].filter(([k]) => /7|3$/.test(k)), (k, v) => typeof v === 'bigint' ? String(v) : v)
      await null
      return [found.length, seed, host.get('x') ?? 'none', ({}).then, typeof Object.keys, Math.max(1.5, NaN)].join()
    }`,
  gas: HOSTILE_GAS_LIMIT,
})
if (!reference.ok) throw new Error('the reference does not compile')
const { image } = reference.value
const callReference = () => interpreter.call({ image, entry: 'run', values: ['seed'], handlers, gas: HOSTILE_GAS_LIMIT })
const expected = callReference()
const memory = Buffer.from(lastUsed())

describe('hostile scripts end as they must, at exact gas, and leave nothing behind', () => {
  it('the reference call works', () => {
    expect(expected).toMatchObject({ kind: 'return', value: expect.stringMatching(/^\d+,seed,none,,function,NaN$/) })
  })

  it.each(HOSTILE.map((script) => [script.name, script] as const))('%s', (name, script) => {
    const found = attack(interpreter, handlers, script.source, HOSTILE_GAS_LIMIT)
    expect({ ...found, gas: HOSTILE_GAS[name] === found.gas ? 'as pinned' : `found ${found.gas}` }).toEqual({
      ends: script.ends,
      says: 'says' in script ? script.says : found.says,
      data: script.data,
      gas: 'as pinned',
    })
    expect(callReference()).toEqual(expected)
    expect(memory.equals(lastUsed())).toBe(true)
  })

  it('every pinned gas belongs to a script', () => {
    expect(Object.keys(HOSTILE_GAS).toSorted()).toEqual(HOSTILE.map(({ name }) => name).toSorted())
  })
})
