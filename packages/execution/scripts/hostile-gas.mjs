// Writes test/hostile-gas.ts again, from dist. Run it after an interpreter change that is meant to change gas, and read the diff
// before you commit it.
import { readFile, writeFile } from 'node:fs/promises'
import { createInterpreter, HostRefusal } from '../dist/vm/index.js'
import { HOSTILE } from '../test/hostile.mjs'
import { attack, HOSTILE_GAS_LIMIT, HOSTILE_HOST, hostileHandlers } from '../test/hostile-host.mjs'
import { wasmPower } from '../test/power.mjs'

const binary = await readFile(new URL('../dist/vm/interpreter.wasm', import.meta.url))
const interpreter = createInterpreter({ wasm: wasmPower(), binary, host: HOSTILE_HOST })
const handlers = hostileHandlers(HostRefusal)
const lines = HOSTILE.map(({ name, source }) => {
  const { gas } = attack(interpreter, handlers, source, HOSTILE_GAS_LIMIT)
  const key = /^[a-z]+$/.test(name) ? name : `'${name.replaceAll("'", "\\'")}'`
  return `  ${key}: ${String(gas).replace(/\B(?=(\d{3})+$)/g, '_')},`
})
await writeFile(
  new URL('../test/hostile-gas.ts', import.meta.url),
  `/** Exact gas of each hostile script, the evaluation of its module included, under the limit of the test; scripts/hostile-gas.mjs writes it. */
export const HOSTILE_GAS: Readonly<Record<string, number>> = {
${lines.join('\n')}
}
`,
)
