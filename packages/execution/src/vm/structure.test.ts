import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpreterBinary, wasmPower } from '../../test/interpreter.ts'
import type { HostFunction } from './host-function.ts'
import { createInterpreter } from './interpreter.ts'
import { VM_LIMITS } from './limits.ts'
import type { CallOutcome } from './outcome.ts'
import type { ContractImage, HostHandlers } from './request.ts'
import type { GuestValue } from './value.ts'
import { VM_GAS } from './vm-gas.ts'

const GAS = 1_000_000_000

const host: readonly HostFunction[] = [
  { name: 'echo', gas: 100, parameters: ['value'] },
  { name: 'emit', gas: 100, parameters: ['string', 'value'] },
  { name: 'all', gas: 100, parameters: ['string'], rest: 'value' },
  { name: 'texts', gas: 100, parameters: [], rest: 'string' },
  { name: 'take', gas: 0, parameters: ['any'] },
]
const interpreter = createInterpreter({ wasm: wasmPower(), binary: interpreterBinary(), host })
const handlers: HostHandlers = {
  echo: (_, v: GuestValue) => v,
  emit: () => undefined,
  all: (_, ...values: GuestValue[]) => values,
  texts: (_, ...values: GuestValue[]) => values.length,
  take: () => undefined,
}

function compile(source: string): ContractImage {
  const compiled = interpreter.compile({ source, gas: GAS })
  if (!compiled.ok) throw new Error(compiled.error.kind)
  return compiled.value.image
}

const call = (image: ContractImage, entry: string, values: readonly GuestValue[] = [], gas = GAS) =>
  interpreter.call({ image, entry, values, handlers, gas })

const valueOf = (outcome: CallOutcome): GuestValue => {
  if (outcome.kind !== 'return') throw new Error(outcome.kind === 'throw' ? outcome.error.message : outcome.kind)
  return outcome.value
}

/** Two values are the same if their types, the bits of numbers and the order of keys are equal. */
function shown(value: GuestValue): string {
  if (value instanceof Uint8Array) return `bytes ${[...value]}`
  if (Array.isArray(value)) return `[${(value as readonly GuestValue[]).map(shown).join()}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, member]) => `${JSON.stringify(name)}:${shown(member)}`)
      .join()}}`
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  return Object.is(value, -0) ? '-0' : String(value)
}

const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'then',
    'length',
    'data',
    '0',
    '7',
    '4294967295',
    '2147483648',
    '-1',
    '01',
    '\ud800',
    '',
  ),
)
const scalar: fc.Arbitrary<GuestValue> = fc.oneof(
  fc.constantFrom<GuestValue>(
    undefined,
    null,
    true,
    false,
    0,
    -0,
    Number.NaN,
    Infinity,
    2 ** 31,
    -(2 ** 31),
    1.5,
    2 ** 53,
    '\ud800',
    'ÿ',
    'Ā',
  ),
  fc.integer(),
  fc.double(),
  fc.bigInt(-(2n ** 287n), 2n ** 287n - 1n),
  fc.bigInt(-(2n ** 33n), 2n ** 33n),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.uint8Array({ maxLength: 60 }),
)
const structure: fc.Arbitrary<GuestValue> = fc.letrec<{ value: GuestValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 8 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 8 }).map((members) => {
      const object: Record<string, GuestValue> = Object.create(null)
      for (const [key, member] of members) object[key] = member
      return object
    }),
  ),
})).value

/** This many nested arrays and objects, alternating. */
function nested(levels: number): GuestValue {
  let value: GuestValue = 'deep'
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { in: value }
  return value
}

describe('structured values', () => {
  const image = compile(`
    const { getPrototypeOf, keys, entries, fromEntries, freeze } = Object
    export const echo = (v) => v
    export const viaHost = (v) => host.echo(v)
    export const later = async (v) => v
    const plain = (v) => typeof v === 'object' && v !== null && !(v instanceof Uint8Array)
    const copyOf = (v) => {
      if (!plain(v)) return v
      if (Array.isArray(v)) return v.map(copyOf)
      const copy = { __proto__: null }
      for (const key of keys(v)) copy[key] = copyOf(v[key])
      return copy
    }
    export const copy = copyOf
    export const backwards = (n) => { const a = new Array(n); while (n > 0) a[--n] = n; return a }
    export const preset = (n) => { const a = new Array(n); for (let i = 0; i < n; i++) a[i] = i; return a }
    export const frozen = (v) => freeze(v)
    export const deleted = (v) => { delete v.b; v.c = 3; return v }
    export const kinds = (v) => [Array.isArray(v), getPrototypeOf(v) === Array.prototype, getPrototypeOf(v) === Object.prototype]
    export const own = (v) => keys(v).join('|') + '|' + ({}).x
    export const odd = () => { class Point { #hidden = 9; x = 1; get y() { return 2 } } const p = new Point(); p[Symbol('s')] = () => 1
      Object.defineProperty(p, 'z', { value: () => 1, enumerable: false }); const a = [p, p]; a.name = () => 1; return a }
    export const rope = () => { const s = 'ab'.repeat(9000); const r = s + s + '\\u1234'; return { r, a: [r] } }
    export const weigh = (v) => { host.echo(v) }
    export const doubled = () => { let v = [1]; for (let i = 0; i < 30; i++) v = [v, v]; return v }
  `)

  it('cross unchanged, both ways, through entries and host functions', () => {
    fc.assert(
      fc.property(structure, (value) => {
        for (const entry of ['echo', 'viaHost', 'later', 'copy'])
          expect(shown(valueOf(call(image, entry, [value])))).toBe(shown(value))
      }),
      { numRuns: 300 },
    )
  })

  it('arrays are arrays, objects are plain, whatever their members are called', () => {
    expect(valueOf(call(image, 'kinds', [[1]]))).toEqual([true, true, false])
    expect(valueOf(call(image, 'kinds', [{ a: 1 }]))).toEqual([false, false, true])
    const hostile = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as GuestValue
    expect(valueOf(call(image, 'own', [hostile]))).toBe('__proto__|constructor|undefined')
    const back = valueOf(call(image, 'echo', [hostile])) as Record<string, GuestValue>
    expect(Object.getPrototypeOf(back)).toBe(null)
    expect(Object.keys(back)).toEqual(['__proto__', 'constructor'])
  })

  it('an array may be filled in any order, and frozen', () => {
    for (const entry of ['backwards', 'preset'])
      for (const n of [0, 1, 2, 7, 300]) expect(valueOf(call(image, entry, [n]))).toEqual(Array.from({ length: n }, (_, i) => i))
    expect(valueOf(call(image, 'frozen', [[1, [2], 'x']]))).toEqual([1, [2], 'x'])
    expect(valueOf(call(image, 'frozen', [{ a: 1, 5: 2 }]))).toEqual({ 5: 2, a: 1 })
    expect(shown(valueOf(call(image, 'deleted', [{ a: 1, b: 2 }])))).toBe('{"a":1,"c":3}')
  })

  it('of an object its own enumerable properties with text for names, of an array its elements', () => {
    expect(valueOf(call(image, 'odd'))).toEqual([{ x: 1 }, { x: 1 }])
  })

  it('strings that the interpreter holds in pieces come whole', () => {
    const r = `${'ab'.repeat(18_000)}\u1234`
    expect(valueOf(call(image, 'rope'))).toEqual({ r, a: [r] })
  })

  it('levels count up to the limit', () => {
    for (const levels of [1, VM_LIMITS.nestingMax - 1, VM_LIMITS.nestingMax])
      expect(shown(valueOf(call(image, 'echo', [nested(levels)])))).toBe(shown(nested(levels)))
    expect(() => call(image, 'echo', [nested(VM_LIMITS.nestingMax + 1)])).toThrow(/levels/)
  })

  it('each value inside is paid for, in both directions, before it is read', () => {
    const gas = (value: GuestValue) => (call(image, 'echo', [value]) as { gasUsed: number }).gasUsed
    const row = (length: number) => Array.from({ length }, () => true)
    const text = (length: number) => ['x'.repeat(length)]
    expect(gas(row(500)) - gas(row(100))).toBeGreaterThan(400 * 2 * VM_GAS.hostMember)
    expect(gas(text(5000)) - gas(text(1000))).toBeGreaterThan(4000 * 2 * VM_GAS.hostByte)
    expect(call(image, 'doubled', [], 50_000_000)).toEqual({ kind: 'out-of-gas', gasUsed: 50_000_000 })
    const { gasUsed } = call(image, 'weigh', [row(200)]) as { gasUsed: number }
    expect(call(image, 'weigh', [row(200)], gasUsed)).toMatchObject({ kind: 'return', gasUsed })
    expect(call(image, 'weigh', [row(200)], gasUsed - 1)).toEqual({ kind: 'out-of-gas', gasUsed: gasUsed - 1 })
  })
})

const OTHER_CLASS = 'an object that is neither a plain object nor an array'
const FORBIDDEN: readonly (readonly [what: string, expression: string])[] = [
  [OTHER_CLASS, '() => 1'],
  [OTHER_CLASS, 'class {}'],
  [OTHER_CLASS, 'host.echo'],
  [OTHER_CLASS, 'new Map([[1, 2]])'],
  [OTHER_CLASS, 'new Error("x")'],
  [OTHER_CLASS, 'new String("x")'],
  [OTHER_CLASS, '/x/'],
  [OTHER_CLASS, 'new ArrayBuffer(8)'],
  [OTHER_CLASS, 'new Uint16Array(2)'],
  [OTHER_CLASS, 'new Uint8ClampedArray(2)'],
  [OTHER_CLASS, 'new DataView(new ArrayBuffer(8))'],
  [OTHER_CLASS, 'new Proxy({}, {})'],
  [OTHER_CLASS, 'new Proxy([], {})'],
  [OTHER_CLASS, '(function () { return arguments })(1)'],
  [OTHER_CLASS, 'globalThis'],
  ['a symbol', 'Symbol("x")'],
  ['a bigint of more than 288 bits', '2n ** 287n'],
  ['a bigint of more than 288 bits', '-(2n ** 287n) - 1n'],
  ['a getter or setter', '{ get x() { return 1 } }'],
  ['a getter or setter', '{ set x(v) {} }'],
  ['a getter or setter', 'Object.defineProperty([1], 0, { get() { return 1 } })'],
  ['an array with holes', '[1, , 2]'],
  ['an array with holes', 'new Array(3)'],
  ['an array with holes', 'Object.assign([1], { length: 2 })'],
  ['an array with holes', 'Object.assign([], { length: 2 ** 32 - 1 })'],
  ['an array with holes', '(() => { const a = [1, 2, 3]; delete a[1]; return a })()'],
  ['more than 40 levels of nesting, or a cycle', '(() => { const a = []; a.push(a); return a })()'],
  ['more than 40 levels of nesting, or a cycle', '(() => { const o = {}; o.o = { o }; return o })()'],
  ['more than 40 levels of nesting, or a cycle', '(() => { let a = 1; for (let i = 0; i < 41; i++) a = [a]; return a })()'],
]

describe('values that cannot be copied are refused, alone and nested', () => {
  it.each(FORBIDDEN)('%s: %s', (what, expression) => {
    const image = compile(`
      const make = () => (${expression})
      export const alone = () => make()
      export const inside = () => ({ list: [1, make()] })
      export const toHost = () => { try { host.emit('x', [make()]) } catch (e) { return [e instanceof TypeError, e.name, e.message] } }
    `)
    for (const entry of ['alone', 'inside'])
      expect(call(image, entry)).toMatchObject({
        kind: 'throw',
        error: { name: 'TypeError', message: `the returned value is or contains ${what}` },
      })
    expect(valueOf(call(image, 'toHost'))).toEqual([
      true,
      'TypeError',
      `emit: argument 2 must be a string, number, bigint, boolean, Uint8Array, or an array or plain object of these; it is or contains ${what}`,
    ])
  })

  it('runs no code of the guest while it looks', () => {
    const image = compile(`
      let ran = 0
      const trap = () => { ran++; throw new Error('ran') }
      const all = { get: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap }
      export const run = () => {
        for (const key of ['toJSON', 'then', 'length', 'x', '0']) Object.defineProperty(Object.prototype, key, { get: trap, configurable: true })
        for (const v of [new Proxy({}, all), new Proxy([], all), { get a() { trap() } }, [new Proxy({}, all)], Object.create(new Proxy({}, all)),
          new (class extends Array { get length() { trap() } [Symbol.iterator]() { trap() } toString() { trap() } })()])
          try { host.emit('x', v) } catch (e) { if (!(e instanceof TypeError)) ran++ }
        return ran
      }
    `)
    expect(call(image, 'run')).toMatchObject({ kind: 'return', value: 0 })
  })
})

describe('variadic host functions', () => {
  const image = compile(`
    export const all = (...v) => host.all('x', ...v)
    export const many = (n) => { try { return host.texts(...Array.from({ length: n }, () => 'x')) } catch (e) { return e.name + ': ' + e.message } }
    export const wrong = () => [() => host.all('x', 1, Symbol('s')), () => host.all(1, 2), () => host.all(), () => host.texts('a', 1), () => host.take({})].map(
      (f) => { try { return f() } catch (e) { return e.name + ': ' + e.message } })
    export const count = (...v) => v.length
  `)

  it('accept further arguments, up to the limit', () => {
    expect(valueOf(call(image, 'all', [1, [2n], { a: undefined }]))).toEqual(['x', 1, [2n], { a: undefined }])
    expect(valueOf(call(image, 'all'))).toEqual(['x'])
    const max = VM_LIMITS.argumentsMax
    expect(valueOf(call(image, 'many', [max]))).toBe(max)
    expect(valueOf(call(image, 'many', [max + 1]))).toBe(`TypeError: texts: too many arguments, at most ${max} are allowed`)
    expect(valueOf(call(image, 'many', [10_000]))).toBe(`TypeError: texts: too many arguments, at most ${max} are allowed`)
  })

  it('an entry takes as many', () => {
    const values = Array.from({ length: VM_LIMITS.argumentsMax }, (_, i) => [i])
    expect(valueOf(call(image, 'count', values))).toBe(VM_LIMITS.argumentsMax)
    expect(() => call(image, 'count', [...values, 0])).toThrow(/arguments/)
  })

  it('say which argument is wrong', () => {
    expect(valueOf(call(image, 'wrong'))).toEqual([
      'TypeError: all: argument 3 must be a string, number, bigint, boolean, Uint8Array, or an array or plain object of these; it is or contains a symbol',
      'TypeError: all: argument 1 must be a string',
      'TypeError: all: argument 1 must be a string',
      'TypeError: texts: argument 2 must be a string',
      'TypeError: take: argument 1 must be a string, number, bigint, boolean or Uint8Array',
    ])
  })
})
