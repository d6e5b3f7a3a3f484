import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpreterBinary, wasmPower, watchedPower } from '../../test/interpreter.ts'
import { type HostFunction, HostRefusal, HostStop } from './host-function.ts'
import { createInterpreter } from './interpreter.ts'
import { VM_LIMITS } from './limits.ts'
import type { CallOutcome } from './outcome.ts'
import type { ContractImage, HostHandler, HostHandlers, Interpreter } from './request.ts'
import type { GuestValue } from './value.ts'
import { VM_GAS } from './vm-gas.ts'

const GAS = 100_000_000

const host: readonly HostFunction[] = [
  { name: 'echo', gas: 100, parameters: ['any'] },
  { name: 'text', gas: 100, parameters: ['string'] },
  { name: 'bytes', gas: 100, parameters: ['bytes'] },
  { name: 'amount', gas: 100, parameters: ['bigint'] },
  { name: 'run', gas: 1000, parameters: ['string', 'any'] },
  { name: 'work', gas: 0, parameters: ['number'] },
]

const interpreter = createInterpreter({ wasm: wasmPower(), binary: interpreterBinary(), host })

function compile(source: string, on: Interpreter = interpreter): ContractImage {
  const compiled = on.compile({ source, gas: GAS })
  if (!compiled.ok) throw new Error(`${compiled.error.kind}: ${'message' in compiled.error ? compiled.error.message : ''}`)
  return compiled.value.image
}

const call = (image: ContractImage, entry: string, values: readonly GuestValue[] = [], handlers: HostHandlers = {}, gas = GAS) =>
  interpreter.call({ image, entry, values, handlers, gas })

const valueOf = (outcome: CallOutcome): GuestValue => {
  if (outcome.kind !== 'return') throw new Error(outcome.kind === 'throw' ? outcome.error.message : outcome.kind)
  return outcome.value
}

const value: fc.Arbitrary<GuestValue> = fc.oneof(
  fc.constantFrom<GuestValue>(
    undefined,
    null,
    true,
    false,
    0,
    -0,
    Number.NaN,
    Infinity,
    -Infinity,
    2 ** 31,
    -(2 ** 31),
    2 ** 53,
    '\0',
    '\ud800',
  ),
  fc.integer(),
  fc.double(),
  fc.bigInt(-(2n ** 256n), 2n ** 256n - 1n),
  fc.constantFrom(
    ...[31n, 32n, 63n, 64n, 128n, 255n].flatMap((bits) => [2n ** bits, 2n ** bits - 1n, -(2n ** bits), -(2n ** bits) - 1n]),
  ),
  fc.string({ unit: 'binary', maxLength: 2000 }),
  fc.string({ maxLength: 100 }),
  fc.uint8Array({ maxLength: 2000 }),
)

describe('values', () => {
  const image = compile(`
    export const echo = (v) => v
    export const viaHost = (v) => host.echo(v)
    export const copy = (v) => (typeof v === 'string' ? [...v].join('') : v instanceof Uint8Array ? v.slice() : v)
    export const kind = (v) => (v instanceof Uint8Array ? 'bytes' : typeof v)
    export const rope = (v) => v + v + v
    export const part = (v) => v.subarray(2, 5)
    export const method = () => () => 1
    export const digits = (v) => String(v)
    export const parse = (text) => Number(text)
    export const bits = (v) => new Uint8Array(Float64Array.of(v).buffer)
    export const huge = () => 2n ** 300n
  `)
  const handlers: HostHandlers = { echo: (_, v: GuestValue) => v }

  it('cross unchanged, both ways', () => {
    fc.assert(
      fc.property(value, (v) => {
        for (const entry of ['echo', 'viaHost', 'copy']) expect(valueOf(call(image, entry, [v], handlers))).toStrictEqual(v)
        const kind = v === null ? 'object' : v instanceof Uint8Array ? 'bytes' : typeof v
        expect(valueOf(call(image, 'kind', [v]))).toBe(kind)
      }),
      { numRuns: 300 },
    )
  })

  it('numbers are the same on both sides', () => {
    fc.assert(
      fc.property(fc.double(), (v) => {
        expect(valueOf(call(image, 'digits', [v]))).toBe(String(v))
        expect(valueOf(call(image, 'parse', [String(v)]))).toBe(Object.is(v, -0) ? 0 : v)
        expect(valueOf(call(image, 'bits', [v]))).toEqual(new Uint8Array(Float64Array.of(v).buffer))
      }),
    )
  })

  it('strings that the interpreter holds in pieces come whole', () => {
    for (const text of ['a'.repeat(9000), 'ሴ'.repeat(9000), `${'b'.repeat(9000)}\0`])
      expect(valueOf(call(image, 'rope', [text]))).toBe(text.repeat(3))
  })

  it('bytes are a copy of the part that is seen', () => {
    expect(valueOf(call(image, 'part', [Uint8Array.of(0, 1, 2, 3, 4, 5)]))).toEqual(Uint8Array.of(2, 3, 4))
  })

  it('functions and huge integers stay inside', () => {
    for (const entry of ['method', 'huge'])
      expect(call(image, entry)).toMatchObject({ kind: 'throw', error: { name: 'TypeError' } })
  })
})

describe('endings', () => {
  const image = compile(`
    let calls = 0
    export const count = () => ++calls
    export function boom(text) { throw new TypeError(text) }
    export const raw = (v) => { throw v }
    export const later = async (v) => (await null, await v) 
    export const late = async () => { await 1; throw new RangeError('late') }
    export const never = () => new Promise(() => {})
    export const spin = () => { for (;;); }
    export const spinLater = async () => { for (;;) await 0 }
    export const deep = (n) => JSON.parse('['.repeat(n) + ']'.repeat(n)).length
    export const recurse = () => { const f = () => f() + 1; try { f() } catch (e) { return e.message } }
    export const grow = (n) => { const kept = []; try { for (;;) kept.push(new Uint8Array(n)) } catch (e) { return e.message + ' ' + kept.length } }
    export const nasty = () => { throw { get name() { throw 1 }, message: { toString() { throw 2 } }, get stack() { for (;;); } } }
  `)

  it('a call leaves nothing behind for the next', () => {
    expect([1, 2, 3].map(() => call(image, 'count'))).toEqual(
      Array(3).fill({ kind: 'return', value: 1, gasUsed: expect.any(Number) }),
    )
  })

  it('an exception comes with its place in the source', () => {
    expect(call(image, 'boom', ['no'])).toMatchObject({
      kind: 'throw',
      error: { name: 'TypeError', message: 'no', stack: '    at boom (contract.js:4:53)\n' },
    })
    expect(call(image, 'raw', ['plain'])).toMatchObject({ kind: 'throw', error: { name: '', message: 'plain', stack: '' } })
    expect(call(image, 'boom', ['x'.repeat(5000)])).toMatchObject({ error: { message: 'x'.repeat(VM_LIMITS.errorTextMax) } })
  })

  it('promises run to their end under the same gas', () => {
    expect(call(image, 'later', [7])).toMatchObject({ kind: 'return', value: 7 })
    expect(call(image, 'late')).toMatchObject({ kind: 'throw', error: { name: 'RangeError', message: 'late' } })
    expect(call(image, 'never')).toMatchObject({
      kind: 'throw',
      error: { message: 'the promise never settles: nothing is left to run that could settle it' },
    })
    expect(call(image, 'spinLater')).toEqual({ kind: 'out-of-gas', gasUsed: GAS })
  })

  it('gas runs out exactly: the used gas is enough, one less is not', () => {
    const { gasUsed } = call(image, 'later', [7]) as { gasUsed: number }
    expect(call(image, 'later', [7], {}, gasUsed)).toEqual({ kind: 'return', value: 7, gasUsed })
    expect(call(image, 'later', [7], {}, gasUsed - 1)).toEqual({ kind: 'out-of-gas', gasUsed: gasUsed - 1 })
    expect(call(image, 'later', [7], {}, 0)).toEqual({ kind: 'out-of-gas', gasUsed: 0 })
    expect(call(image, 'spin')).toEqual({ kind: 'out-of-gas', gasUsed: GAS })
    expect(call(image, 'nasty')).toEqual({ kind: 'out-of-gas', gasUsed: GAS })
  })

  it('recursion of the guest can be caught; recursion of the interpreter ends the call', () => {
    expect(call(image, 'recurse')).toMatchObject({ kind: 'return', value: 'stack overflow' })
    expect(call(image, 'deep', [10_000])).toMatchObject({ kind: 'out-of-depth' })
    expect(call(image, 'deep', [100])).toMatchObject({ kind: 'return', value: 1 })
    expect(interpreter.call({ image, entry: 'deep', values: [100], handlers: {}, gas: GAS, depthBytes: 10_000 })).toMatchObject({
      kind: 'out-of-depth',
    })
  })

  it('memory ends where the budget says, in whole pages', () => {
    const pages = (memoryBytes: number) => {
      const text = valueOf(interpreter.call({ image, entry: 'grow', values: [65_536], handlers: {}, gas: GAS, memoryBytes }))
      return Number(/^out of memory (\d+)$/.exec(text as string)?.[1])
    }
    for (const budget of [4, 16, 64, 200]) {
      expect(pages(budget * 65_536)).toBeGreaterThanOrEqual(budget - 3)
      // The allocator may hold one more page without having written there.
      expect(pages(budget * 65_536)).toBeLessThanOrEqual(budget + 1)
    }
    expect(pages(2 * VM_LIMITS.memoryBytesMax)).toBe(pages(VM_LIMITS.memoryBytesMax))
  })

  it('growth is paid, and an instance that grew much serves on as if it had not', () => {
    const { power, instances, lastUsed } = watchedPower()
    const own = createInterpreter({ wasm: power, binary: interpreterBinary(), host })
    const grown = compile('export const run = (n) => { new Uint8Array(n); return n }', own)
    const made = instances()
    const run = (n: number) =>
      own.call({ image: grown, entry: 'run', values: [n], handlers: {}, gas: GAS }) as { gasUsed: number }
    const small = run(1000).gasUsed
    expect(run(1_000_000).gasUsed - small).toBeGreaterThan(242 * VM_GAS.page)
    expect(instances()).toBe(made)
    const memory = Buffer.from(lastUsed())
    run(15_000_000)
    expect(run(1_000_000).gasUsed).toBeGreaterThan(small)
    expect(run(1000).gasUsed).toBe(small)
    run(1_000_000)
    expect(memory.equals(lastUsed())).toBe(true)
    expect(instances()).toBe(made)
  })
})

describe('host functions', () => {
  const image = compile(`
    export const text = (...v) => host.text(...v)
    export const tryText = (v) => { try { return host.text(v) } catch (e) { return e.name + ': ' + e.message } }
    export const wrong = () => [undefined, null, 1, 1n, true, {}, [], Symbol('x'), () => 1, new Uint8Array(1), new Proxy({}, {}), { toString() { return 'x' } }, new String('x')].map(
      (v) => { try { host.text(v); return 'taken' } catch (e) { return e.name + ': ' + e.message } }).join('|')
    export const wide = (v) => { try { host.amount(v ** 3n) } catch (e) { return e.message } }
    export const work = (n) => { host.work(n); return 'done' }
    export const nest = (entry, v) => host.run(entry, v)
    export const nestAll = (n) => n === 0 ? 0 : 1 + host.run('nestAll', n - 1)
    export const spin = () => { for (;;); }
    export const deep = (n) => JSON.parse('['.repeat(n) + ']'.repeat(n)).length
    export const keep = () => { globalThis.kept = 1; return 'kept' }
    export const seen = () => host.run('keep') + typeof globalThis.kept
    export const frozen = () => { 'use strict'; let n = 0; for (const f of [() => { host.text = 1 }, () => { host.text.x = 1 }, () => { globalThis.host = 1 }]) try { f() } catch { n++ } return n }
  `)
  const nested: HostHandlers = {
    run: (context, entry: string, v: GuestValue) => {
      const outcome = context.call({ image, entry, values: [v], handlers: nested, gas: context.gasLeft })
      return outcome.kind === 'return' ? outcome.value : new HostRefusal(outcome.kind)
    },
  }

  it('accept the arguments of their table, and nothing else', () => {
    const handlers = { text: (_: unknown, text: string) => text.toUpperCase() }
    expect(call(image, 'text', ['abc'], handlers)).toMatchObject({ value: 'ABC' })
    expect(call(image, 'text', ['abc', 'more'], handlers)).toMatchObject({ value: 'ABC' })
    const wrong = valueOf(call(image, 'wrong', [], handlers)) as string
    expect(wrong.split('|')).toEqual(Array(13).fill('TypeError: text: argument 1 must be a string'))
    expect(call(image, 'wide', [2n ** 96n], { amount: () => undefined })).toMatchObject({
      value: 'amount: argument 1 must be a bigint of at most 288 bits',
    })
  })

  it('refuse, stop, or are not there', () => {
    expect(call(image, 'tryText', ['a'], { text: () => new HostRefusal('not now') })).toMatchObject({ value: 'Error: not now' })
    expect(call(image, 'tryText', ['a'])).toMatchObject({ value: 'Error: text cannot be called here' })
    expect(call(image, 'tryText', ['a'], { text: () => new HostStop({ code: 7 }) })).toMatchObject({
      kind: 'stop',
      reason: { code: 7 },
    })
    expect(() =>
      call(image, 'tryText', ['a'], {
        text: () => {
          throw new TypeError('a bug')
        },
      }),
    ).toThrow('a bug')
  })

  it('are paid for, bytes included', () => {
    const work: HostHandler = (context, units: number) => {
      context.charge(units)
      return undefined
    }
    const handlers = { text: () => undefined, work }
    const gas = (entry: string, v: GuestValue) => (call(image, entry, [v], handlers) as { gasUsed: number }).gasUsed
    expect(gas('work', 51_000) - gas('work', 50_000)).toBe(1000)
    expect(call(image, 'work', [GAS], handlers)).toEqual({ kind: 'out-of-gas', gasUsed: GAS })
    expect(gas('text', 'a'.repeat(900)) - gas('text', 'a'.repeat(100))).toBeGreaterThanOrEqual(800 * VM_GAS.hostByte)
  })

  it('call other images with the remaining budget', () => {
    expect(call(image, 'nest', ['text', 'x'], nested)).toMatchObject({ kind: 'throw', error: { message: 'throw' } })
    expect(call(image, 'nestAll', [8], nested)).toMatchObject({ kind: 'return', value: 8 })
    expect(call(image, 'seen', [], nested)).toMatchObject({ kind: 'return', value: 'keptundefined' })
    expect(call(image, 'nest', ['spin', 0], nested)).toEqual({ kind: 'out-of-gas', gasUsed: GAS })
    expect(call(image, 'nest', ['deep', 10_000], nested)).toMatchObject({ kind: 'throw', error: { message: 'out-of-depth' } })
  })

  it('depth is one budget over all nested calls', () => {
    const kinds: string[] = []
    const deepest: HostHandlers = {
      run: (context, entry: string, v: GuestValue) => {
        const outcome = context.call({ image, entry, values: [v], handlers: deepest, gas: context.gasLeft })
        kinds.push(outcome.kind)
        return new HostRefusal(outcome.kind)
      },
    }
    expect(call(image, 'nestAll', [200], deepest)).toMatchObject({ kind: 'throw' })
    expect(kinds[0]).toBe('out-of-depth')
    expect(kinds.length).toBeGreaterThanOrEqual(16)
    expect(kinds.length).toBeLessThan(VM_LIMITS.depthBytesMax / VM_LIMITS.nestingDepthBytes)
  })

  it('cannot be replaced by a guest', () => {
    expect(call(image, 'frozen')).toMatchObject({ value: 3 })
  })
})

describe('a machine whose stack is too small', () => {
  const limits = VM_LIMITS as { depthBytesMax: number; guestStackBytesMax: number }
  const { depthBytesMax, guestStackBytesMax } = limits
  const source = `
    export const deep = (n) => JSON.parse('['.repeat(n) + ']'.repeat(n)).length
    export const nest = (n) => { try { return host.run('deep', n) } catch { return 'caught' } }
  `
  const nested = (image: ContractImage): HostHandlers => ({
    run: (context, entry: string, v: GuestValue) => {
      const outcome = context.call({ image, entry, values: [v], handlers: {}, gas: context.gasLeft })
      return outcome.kind === 'return' ? outcome.value : new HostRefusal(outcome.kind)
    },
  })

  it('is a fault and no result, also of the calls around; the next call is sound', () => {
    try {
      Object.assign(limits, { depthBytesMax: 2 ** 30, guestStackBytesMax: 4 * 2 ** 20 })
      const weak = createInterpreter({ wasm: wasmPower(), binary: interpreterBinary(), host })
      const image = compile(source, weak)
      const run = (entry: string, n: number) => weak.call({ image, entry, values: [n], handlers: nested(image), gas: 10 * GAS })
      const before = run('nest', 10)
      expect(before).toMatchObject({ kind: 'return', value: 1 })
      expect(run('deep', 100_000)).toMatchObject({ kind: 'fault', error: { name: 'RangeError' } })
      expect(run('nest', 100_000)).toMatchObject({ kind: 'fault', error: { name: 'RangeError' } })
      expect(run('nest', 10)).toEqual(before)
    } finally {
      Object.assign(limits, { depthBytesMax, guestStackBytesMax })
    }
  })
})

describe('sources', () => {
  const failure = (source: string, gas = GAS) => {
    const compiled = interpreter.compile({ source, gas })
    return compiled.ok ? undefined : compiled.error
  }

  it('that do not parse or evaluate: message, line and column', () => {
    expect(failure('let a = 1\nlet b = ;')).toMatchObject({ kind: 'throw', name: 'SyntaxError', line: 2, column: 9 })
    expect(failure('const f = () => {\n  throw new Error("no")\n}\nf()')).toMatchObject({ message: 'no', line: 2, column: 18 })
    expect(failure('import x from "y"')).toMatchObject({ message: "could not load module 'y'" })
    expect(failure('await new Promise(() => {})')).toMatchObject({
      message: 'the promise never settles: nothing is left to run that could settle it',
    })
    expect(failure('for (;;);', 1_000_000)).toEqual({
      kind: 'out-of-gas',
      message: 'evaluating the module failed: out-of-gas',
      gasUsed: 1_000_000,
    })
    expect(failure(`${'['.repeat(20_000)}`)).toMatchObject({ kind: 'out-of-depth' })
    expect(failure(' '.repeat(VM_LIMITS.sourceBytesMax + 1))).toMatchObject({ kind: 'too-large' })
  })

  it('may wait at the top level, and hold any text', () => {
    const image = compile('const x = await Promise.resolve("zürich \u{1f3d4} \\0")\nexport const run = () => x')
    expect(valueOf(call(image, 'run'))).toBe('zürich \u{1f3d4} \0')
  })

  it('export functions as entries', () => {
    expect([...compile('export const a = 1; export function b() {} export default () => 2').entries.keys()]).toEqual([
      'b',
      'default',
    ])
    expect(() => call(compile(''), 'missing')).toThrow(/no entry missing/)
  })

  it('pay for entries whose names the interpreter holds in pieces, and run out of gas among them', () => {
    const link = `() => () => {
      const entries = []
      for (let i = 0; i < 40; i++) { entries[2 * i] = 'functions.' + ('a'.repeat(600) + i); entries[2 * i + 1] = () => i }
      return entries
    }`
    const linked = createInterpreter({ wasm: wasmPower(), binary: interpreterBinary(), host, link })
    const whole = linked.compile({ source: '', gas: GAS })
    if (!whole.ok) throw new Error(whole.error.kind)
    const { gasUsed } = whole.value
    for (let gas = gasUsed - 1; gas > gasUsed - 100_000; gas -= 97)
      expect(linked.compile({ source: '', gas })).toMatchObject({ error: { kind: 'out-of-gas', gasUsed: gas } })
    expect(linked.compile({ source: '', gas: gasUsed }).ok).toBe(true)
  })
})
