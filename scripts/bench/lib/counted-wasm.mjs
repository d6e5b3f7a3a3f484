import { CONTRACT_HOST } from '../../../packages/execution/dist/contract/host/index.js'
import { METER_EXPORTS } from '../../../packages/execution/dist/vm/index.js'

/** What the interpreter's binary imports the host call as: packages/execution/src/vm/instance.ts. */
const HOST_CALL = 's'

/**
 * WebAssembly that counts what contracts ask of the host, and the ticks from the start of each such call to its end: prices, and what the
 * interpreter runs to make the answer.
 *
 * @param {import('@quoin/execution/vm').WasmPower} wasm
 */
export function countedWasm(wasm) {
  const calls = new Map()
  let ticks = 0
  const power = {
    ...wasm,
    instantiate: (module, { a }) => {
      const callHost = a[HOST_CALL]
      const left = () => Number(exports[METER_EXPORTS.gas].value)
      const counted = (context, self, count, argv, id) => {
        const before = left()
        const answer = callHost(context, self, count, argv, id)
        ticks += before - left()
        const { name } = CONTRACT_HOST[id]
        calls.set(name, (calls.get(name) ?? 0) + 1)
        return answer
      }
      const exports = wasm.instantiate(module, { a: { ...a, [HOST_CALL]: counted } })
      return exports
    },
  }
  return {
    power,
    /** What was counted since the last look. */
    take: () => {
      const taken = { calls: new Map(calls), ticks }
      calls.clear()
      ticks = 0
      return taken
    },
  }
}
