import { it } from 'vitest'
import { engineBinary, wasmPower } from '../../test/engine.ts'
import { createEngine } from './engine.ts'

it('x', () => {
  const engine = createEngine({
    wasm: wasmPower(),
    binary: engineBinary(),
    host: [{ name: 'echo', gas: 0, parameters: ['value'] }],
  })
  const c = engine.compile({
    source:
      'export const run = (v) => String(v) + Object.is(v[0], NaN); export const echo = v => v; export const own = () => [NaN, 0/0, -0, 1.5]',
    gas: 1e9,
  })
  if (!c.ok) throw 1
  for (const v of [NaN, 1.5, -1.5, -0, Infinity, 1e300]) {
    console.log(
      v,
      engine.call({ image: c.value.image, entry: 'run', values: [[v]], handlers: {}, gas: 1e9 }),
      engine.call({ image: c.value.image, entry: 'echo', values: [[v]], handlers: {}, gas: 1e9 }),
    )
  }
  console.log(engine.call({ image: c.value.image, entry: 'own', values: [], handlers: {}, gas: 1e9 }))
})
