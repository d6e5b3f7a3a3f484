import { LIMITS } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { interpreterBinary, wasmPower } from '../../test/interpreter.ts'
import { type HostFunction, HostRefusal } from './host-function.ts'
import { createInterpreter } from './interpreter.ts'
import type { GuestError } from './outcome.ts'
import type { ContractImage, HostHandlers } from './request.ts'
import type { GuestValue } from './value.ts'

const GAS = 100_000_000

const host: readonly HostFunction[] = [
  { name: 'fail', gas: 100, parameters: ['string', 'any', 'any'] },
  { name: 'build', gas: 100, parameters: ['string'] },
  { name: 'scope', gas: 100, parameters: [] },
]
const interpreter = createInterpreter({ wasm: wasmPower(), binary: interpreterBinary(), host })
const handlers: HostHandlers = {
  fail: (_, message: string, name: string | undefined, data: Uint8Array | undefined) =>
    new HostRefusal(message, { ...(name === undefined ? {} : { name }), ...(data === undefined ? {} : { data }) }),
  scope: (context) => context.scope as GuestValue,
}

function compile(source: string): ContractImage {
  const compiled = interpreter.compile({ source, gas: GAS, handlers })
  if (!compiled.ok) throw new Error(compiled.error.kind)
  return compiled.value.image
}

function call(image: ContractImage, entry: string, values: readonly GuestValue[] = [], gas = GAS): GuestValue {
  const outcome = interpreter.call({ image, entry, values, handlers, gas })
  if (outcome.kind !== 'return') throw new Error(outcome.kind === 'throw' ? outcome.error.message : outcome.kind)
  return outcome.value
}

/** The error that the host gets for a thrown expression. */
function thrown(expression: string, data: GuestValue = new Uint8Array()): GuestError {
  const image = compile(`export const run = (data) => { throw ${expression} }`)
  const outcome = interpreter.call({ image, entry: 'run', values: [data], handlers, gas: GAS })
  if (outcome.kind !== 'throw') throw new Error(outcome.kind)
  return outcome.error
}

describe('the data of a thrown value', () => {
  const data = Uint8Array.of(8, 195, 121, 160)
  const max = LIMITS.errorDataBytesMax

  it('is a Uint8Array under its property data, up to the limit', () => {
    expect(thrown('Object.assign(new RangeError("x"), { data })', data)).toMatchObject({ name: 'RangeError', message: 'x', data })
    expect(thrown('({ data })', data)).toMatchObject({ data })
    expect(thrown('Object.assign(() => 1, { data })', data)).toMatchObject({ data })
    expect(thrown('({ get data() { return data } })', data)).toMatchObject({ data })
    expect(thrown('({ data: new Uint8Array() })').data).toEqual(new Uint8Array())
    expect(thrown('({ data: new (class extends Uint8Array {})([1, 2]) })').data).toEqual(Uint8Array.of(1, 2))
    expect(thrown('({ data })', new Uint8Array(max).fill(7)).data).toEqual(new Uint8Array(max).fill(7))
  })

  it.each([
    ['one byte too many', `({ data: new Uint8Array(${max + 1}) })`],
    ['none', 'new Error("x")'],
    ['another type', '({ data: "0x08c379a0" })'],
    ['another class', '({ data: new Uint8ClampedArray(4) })'],
    ['an array', '({ data: [1, 2] })'],
    ['a proxy of bytes', '({ data: new Proxy(new Uint8Array(4), {}) })'],
    ['an object that inherits from bytes', '({ data: Object.create(new Uint8Array(4)) })'],
    ['a getter that throws', '({ get data() { throw 1 } })'],
    ['a primitive', '"data"'],
    ['nothing', 'null'],
  ])('%s: no data', (_, expression) => {
    expect(thrown(expression)).not.toHaveProperty('data')
  })

  it('is read after guest code has stopped', () => {
    const changes = '(() => { const a = new Uint8Array(2); return { get data() { return a }, get stack() { a[0] = 9 } } })()'
    expect(thrown(changes).data).toEqual(Uint8Array.of(9, 0))
  })

  it('comes from a rejected promise and from an evaluation too', () => {
    const image = compile('export const run = async (data) => { await 0; throw { data } }')
    expect(interpreter.call({ image, entry: 'run', values: [data], handlers, gas: GAS })).toMatchObject({
      kind: 'throw',
      error: { data },
    })
  })
})

describe('a refusal in the guest', () => {
  const image = compile(`
    const told = (f) => { try { f() } catch (e) { return [e.name, e.message, e.data, e instanceof Error, Object.prototype.toString.call(e), typeof e.stack] } }
    export const fail = (...v) => told(() => host.fail(...v))
    export const kind = (name) => { try { host.fail('x', name) } catch (e) { return e instanceof globalThis[name] && !Object.hasOwn(e, 'name') } }
    export const stack = () => { try { host.fail('x') } catch (e) { return e.stack } }
    export const own = (data) => { try { host.fail('x', 'Custom', data) } catch (e) {
      const o = Object.getOwnPropertyDescriptors(e); return Object.keys(o).map((k) => [k, o[k].writable, o[k].enumerable, o[k].configurable]) } }
    export const rewrap = (data) => { try { host.fail('x', 'Custom', data) } catch (e) { e.message = 'y: ' + e.message; throw e } }
    export const polluted = (data) => {
      const bad = { __proto__: null, get() { throw 'got' }, set() { throw 'set' }, configurable: true }
      for (const prototype of [Object.prototype, Error.prototype]) for (const key of ['message', 'name', 'data', 'stack', 'value', 'get', 'set', 'writable'])
        Object.defineProperty(prototype, key, bad)
      try { host.fail('x', 'Custom', data) } catch (e) { return [e.name, e.message, e.data] }
    }
    export const replaced = () => {
      Object.defineProperty = Object.setPrototypeOf = globalThis.TypeError = globalThis.Error = () => { throw 'mine' }
      try { host.fail('x', 'TypeError') } catch (e) { return e.name + e.message }
    }
  `)

  it('has the message, the name and the data that the host gave', () => {
    const data = Uint8Array.of(1, 2, 3)
    expect(call(image, 'fail', ['no'])).toEqual(['Error', 'no', undefined, true, '[object Error]', 'string'])
    expect(call(image, 'fail', ['no', 'InsufficientBalance', data])).toEqual([
      'InsufficientBalance',
      'no',
      data,
      true,
      '[object Error]',
      'string',
    ])
    for (const name of ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'EvalError', 'URIError'])
      expect(call(image, 'kind', [name])).toBe(true)
    for (const name of ['__proto__', 'constructor', ''])
      expect((call(image, 'fail', ['no', name]) as GuestValue[]).slice(0, 2)).toEqual([name, 'no'])
  })

  it('points at the call in the source, and is an object like others', () => {
    expect(call(image, 'stack')).toMatch(/^ +at stack \(contract.js:5:\d+\)\n$/)
    expect(call(image, 'own', [Uint8Array.of(1)])).toEqual(
      expect.arrayContaining(['message', 'name', 'data'].map((name) => [name, true, false, true])),
    )
    const outcome = interpreter.call({ image, entry: 'rewrap', values: [Uint8Array.of(1)], handlers, gas: GAS })
    expect(outcome).toMatchObject({ kind: 'throw', error: { name: 'Custom', message: 'y: x', data: Uint8Array.of(1) } })
  })

  it('is the same even if the guest changed prototypes and built-ins', () => {
    expect(call(image, 'polluted', [Uint8Array.of(5)])).toEqual(['Custom', 'x', Uint8Array.of(5)])
    expect(call(image, 'replaced')).toBe('TypeErrorx')
  })
})

describe('the context of a handler', () => {
  const image = compile('export const scope = () => host.scope(); export const build = (source) => host.build(source)')

  it('is the scope of the request, one for each of nested calls', () => {
    const outcome = interpreter.call({ image, entry: 'scope', values: [], handlers, scope: 'this call', gas: GAS })
    expect(outcome).toMatchObject({ kind: 'return', value: 'this call' })
    const source = 'if (host.scope() !== "evaluation") throw new Error("no"); export const a = 1'
    expect(interpreter.compile({ source, gas: GAS, handlers, scope: 'evaluation' })).toMatchObject({ ok: true })
    const inner: HostHandlers = {
      build: (context) => {
        const nested = context.call({ image, entry: 'scope', values: [], handlers, scope: 'inner', gas: context.gasLeft })
        return nested.kind === 'return' ? [context.scope as string, nested.value] : undefined
      },
    }
    expect(interpreter.call({ image, entry: 'build', values: ['x'], handlers: inner, scope: 'outer', gas: GAS })).toMatchObject({
      value: ['outer', 'inner'],
    })
  })

  const building: HostHandlers = {
    build: (context, source: string) => {
      const before = context.gasLeft
      const compiled = context.compile({ source, gas: context.gasLeft, handlers, scope: 'built' })
      const used = before - context.gasLeft
      if (!compiled.ok) return [compiled.error.kind, 'message' in compiled.error ? compiled.error.message : '', used]
      const { image: made, gasUsed } = compiled.value
      const outcome = context.call({ image: made, entry: 'run', values: [], handlers, scope: 'built', gas: context.gasLeft })
      return [outcome.kind === 'return' ? outcome.value : outcome.kind, gasUsed === used]
    },
  }
  const build = (source: string, gas = GAS) =>
    interpreter.call({ image, entry: 'build', values: [source], handlers: building, gas })

  it('evaluates modules with the remaining gas, and charges what that used', () => {
    expect(build('const s = host.scope(); export const run = () => s')).toMatchObject({ kind: 'return', value: ['built', true] })
    expect(build('throw new Error("no contract")')).toMatchObject({ value: ['throw', 'no contract', expect.any(Number)] })
    expect(build('for (;;);')).toEqual({ kind: 'out-of-gas', gasUsed: GAS })
    expect(build('['.repeat(20_000))).toMatchObject({ value: ['out-of-depth', expect.any(String), expect.any(Number)] })
  })

  it('and not without depth', () => {
    const kinds: string[] = []
    const self = 'host.build("")'
    const endless: HostHandlers = {
      build: (context) => {
        const compiled = context.compile({ source: self, gas: context.gasLeft, handlers: endless })
        kinds.push(compiled.ok ? 'built' : compiled.error.kind)
        return undefined
      },
    }
    interpreter.call({ image, entry: 'build', values: [''], handlers: endless, gas: GAS })
    expect(kinds[0]).toBe('out-of-depth')
    expect(kinds.length).toBeGreaterThanOrEqual(16)
    expect(kinds.slice(1).every((kind) => kind === 'built')).toBe(true)
  })
})
