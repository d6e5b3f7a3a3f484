import { createInterpreter } from '@quoin/execution/vm'
import { expect, it } from 'vitest'
import { loadInterpreterBinary, nodeWasm } from './wasm.ts'

it('loads the pinned interpreter, which runs', async () => {
  const interpreter = createInterpreter({ wasm: nodeWasm, binary: await loadInterpreterBinary(), host: [] })
  const compiled = interpreter.compile({ source: 'export const double = (n) => 2n * n', gas: 10_000_000 })
  if (!compiled.ok) throw new Error(compiled.error.kind)
  const outcome = interpreter.call({
    image: compiled.value.image,
    entry: 'double',
    values: [2n ** 200n],
    handlers: {},
    gas: 10_000_000,
  })
  expect(outcome).toMatchObject({ kind: 'return', value: 2n ** 201n })
})
