import { expect, it } from 'vitest'
import { interpreterBinary, wasmPower } from '../../test/interpreter.ts'
import { createInterpreter } from './interpreter.ts'
import type { CallOutcome } from './outcome.ts'
import type { WasmExports, WasmFunction, WasmPower } from './power.ts'
import type { ContractImage, HostHandlers, Interpreter } from './request.ts'

const host = [{ name: 'nest', gas: 100, parameters: [] }] as const

/** Functions whose gas ends: one in itself, one deep in a recursion, and one that calls others which it outlives. */
const SOURCE = `
  export const spin = () => { for (;;) Math.abs(1) }
  const deeper = (n) => n === 0 ? spin() : deeper(n - 1) + 1
  export const deep = () => deeper(400)
  export const outlive = () => { host.nest() }
`

const GAS = 1_000_000

function tracing(wasm: WasmPower): { readonly interpreter: Interpreter; readonly image: ContractImage } {
  const interpreter = createInterpreter({ wasm, binary: interpreterBinary(), host, tracesOutOfGas: true })
  const compiled = interpreter.compile({ source: SOURCE, gas: 100 * GAS })
  if (!compiled.ok) throw new Error(compiled.error.kind)
  return { interpreter, image: compiled.value.image }
}

const stackOf = (outcome: CallOutcome) => (outcome.kind === 'out-of-gas' ? outcome.stack : outcome.kind)

it('the post-mortems of one run share a budget, and the next run has its own', () => {
  const { interpreter, image } = tracing(wasmPower())
  let stacks: (string | undefined)[] = []
  const handlers: HostHandlers = {
    nest: (context) => {
      for (let i = 0; i < 100; i++)
        stacks.push(stackOf(context.call({ image, entry: 'deep', values: [], handlers: {}, gas: GAS })))
      return undefined
    },
  }
  for (let runs = 0; runs < 2; runs++) {
    stacks = []
    const outcome = interpreter.call({ image, entry: 'outlive', values: [], handlers, gas: 1_000 * GAS })
    expect(outcome.kind).toBe('return')
    const made = stacks.filter((stack) => stack?.includes('at deeper'))
    expect(made.length).toBeGreaterThan(5)
    expect(made.length).toBeLessThan(50)
    // One post-mortem may end half-way, without a backtrace. After it none begins.
    expect(stacks.slice(made.length + 1).every((stack) => stack === undefined)).toBe(true)
  }
})

/** A power whose instances throw from `evaluate`, which nothing but a post-mortem calls after the compilation, and the number of its instances. */
function failingPower() {
  const state = { error: undefined as Error | undefined, instances: 0 }
  const power = wasmPower()
  const instantiate: WasmPower['instantiate'] = (module, imports) => {
    state.instances++
    const exports: WasmExports = power.instantiate(module, imports)
    const evaluate = exports['pa'] as WasmFunction
    const failing: WasmFunction = (...values) => {
      if (state.error !== undefined) throw state.error
      return evaluate(...values)
    }
    return { ...exports, pa: failing }
  }
  return { state, power: { ...power, instantiate } }
}

it.each([new RangeError('Maximum call stack size exceeded'), new Error('a bug')])(
  'a post-mortem that fails with %s changes no result, and its instance is not used again',
  (error) => {
    const { state, power } = failingPower()
    const { interpreter, image } = tracing(power)
    const spin = () => interpreter.call({ image, entry: 'spin', values: [], handlers: {}, gas: GAS })
    expect(spin()).toEqual({ kind: 'out-of-gas', gasUsed: GAS, stack: expect.stringContaining('at spin') })
    expect(state.instances).toBe(1)
    state.error = error
    expect(spin()).toEqual({ kind: 'out-of-gas', gasUsed: GAS, stack: '' })
    state.error = undefined
    expect(stackOf(spin())).toContain('at spin')
    expect(state.instances).toBe(2)
  },
)
