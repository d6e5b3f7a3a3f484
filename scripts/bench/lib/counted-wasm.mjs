import { CONTRACT_HOST } from '../../../packages/execution/dist/contract/host/index.js'
import { METER_EXPORTS } from '../../../packages/execution/dist/vm/index.js'

/** Import name of the host call in the interpreter's binary; see packages/execution/src/vm/instance.ts. */
const HOST_CALL = 's'

/**
 * WebAssembly power that counts host calls of contracts and the ticks from start to end of each call. The ticks include the price, and the
 * interpreter's work to make the result.
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
    /** Counts since the last call of `take`. */
    take: () => {
      const taken = { calls: new Map(calls), ticks }
      calls.clear()
      ticks = 0
      return taken
    },
  }
}
