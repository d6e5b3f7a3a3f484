import { createEngine } from '@quoin/execution/vm'
import { expect, it } from 'vitest'
import { loadEngineBinary, nodeWasm } from './wasm.ts'

it('loads the pinned engine, which runs', async () => {
  const engine = createEngine({ wasm: nodeWasm, binary: await loadEngineBinary(), host: [] })
  const compiled = engine.compile({ source: 'export const double = (n) => 2n * n', gas: 10_000_000 })
  if (!compiled.ok) throw new Error(compiled.error.kind)
  const outcome = engine.call({
    image: compiled.value.image,
    entry: 'double',
    values: [2n ** 200n],
    handlers: {},
    gas: 10_000_000,
  })
  expect(outcome).toMatchObject({ kind: 'return', value: 2n ** 201n })
})
