import { describe, expect, it } from 'vitest'
import { hostInterpreter } from '../../test/guest.ts'
import { CONTRACT_HOST } from './host/index.ts'

const compile = (source: string) => hostInterpreter().compile({ source, gas: 10_000_000 })
/** Entries of a module, or why linking failed. */
function linked(source: string): readonly string[] | string {
  const compiled = compile(source)
  if (compiled.ok) return [...compiled.value.image.entries.keys()]
  const { error } = compiled
  return error.kind === 'throw' ? `${error.name}: ${error.message}` : error.kind
}

describe('a contract module', () => {
  it('has an entry for each function of its default export', () => {
    expect(linked('export default {}')).toEqual([])
    expect(
      linked(`
        const f = () => 1
        export default { constructor() {}, receive: () => {}, fallback: f, migrate: f, functions: { a: f, b() {}, 'c(uint256)': f, 1: f } }
      `),
    ).toEqual([
      'constructor',
      'receive',
      'fallback',
      'migrate',
      'functions.1',
      'functions.a',
      'functions.b',
      'functions.c(uint256)',
    ])
    expect(
      linked('export default Object.assign(Object.create(null), { functions: { __proto__: null, toString() {} } })'),
    ).toEqual(['functions.toString'])
  })

  it.each([
    ['', 'the module has no default export'],
    ['export const a = 1; export default {}', 'the module exports a, only a default export is allowed'],
    ['export const functions = {}', 'the module exports functions, only a default export is allowed'],
    ['export default 1', 'the default export is not a plain object'],
    ['export default null', 'the default export is not a plain object'],
    ['export default undefined', 'the default export is not a plain object'],
    ['export default []', 'the default export is not a plain object'],
    ['export default () => ({})', 'the default export is not a plain object'],
    ['export default class { functions = {} }', 'the default export is not a plain object'],
    ['export default new Map()', 'the default export is not a plain object'],
    ['export default new (class { functions = {} })()', 'the default export is not a plain object'],
    [
      'export default { transfer() {} }',
      'the default export has the unknown member transfer: a contract has constructor, receive, fallback, migrate and functions',
    ],
    [
      'export default { __proto__: null, toString() {} }',
      'the default export has the unknown member toString: a contract has constructor, receive, fallback, migrate and functions',
    ],
    ['export default { constructor: 1 }', 'constructor is not a function'],
    ['export default { receive: undefined }', 'receive is not a function'],
    ['export default { get constructor() { return () => 1 } }', 'the default export.constructor is a getter or setter'],
    ['export default { [Symbol.iterator]() {} }', 'the default export has a member whose name is a symbol'],
    ['export default { functions: 1 }', 'functions is not a plain object'],
    ['export default { functions: [] }', 'functions is not a plain object'],
    ['export default { functions: () => {} }', 'functions is not a plain object'],
    ['export default { functions: { a: 1n } }', 'functions.a is not a function'],
    ['export default { functions: { a: { b() {} } } }', 'functions.a is not a function'],
    ['export default { functions: { get a() { return () => 1 } } }', 'functions.a is a getter or setter'],
    ['export default { functions: { set a(v) {} } }', 'functions.a is a getter or setter'],
    ['export default { functions: { [Symbol()]() {} } }', 'functions has a member whose name is a symbol'],
  ])('is refused: %s', (source, message) => {
    expect(linked(source)).toBe(`TypeError: ${message}`)
  })

  it('sees the host functions on quoin alone, and no interpreter', () => {
    const members = linked('throw new Error(Object.keys(quoin).join())')
    expect(members).toBe(`Error: ${CONTRACT_HOST.map(({ name }) => name).join()}`)
    expect(linked('throw new Error([Object.getPrototypeOf(quoin), Object.isFrozen(quoin), typeof host])')).toBe(
      'Error: ,true,undefined',
    )
  })

  it('is linked with the built-ins as they were', () => {
    const pollution = `
      const boom = () => { throw new Error('guest code runs in the link') }
      for (const name of ['keys', 'defineProperty', 'getOwnPropertyDescriptor', 'getPrototypeOf', 'hasOwn']) Object[name] = boom
      Reflect.ownKeys = boom
      Array.isArray = boom
      Array.prototype.push = boom
      for (const name of ['0', '1', 'value', 'get', 'set', 'enumerable', 'configurable', 'writable'])
        for (const prototype of [Object.prototype, Array.prototype])
          Reflect.defineProperty(prototype, name, { __proto__: null, get: boom, set: boom, configurable: true })
    `
    const contract = 'export default { constructor() {}, functions: { a() {}, b() {} } }'
    expect(linked(pollution + contract)).toEqual(['constructor', 'functions.a', 'functions.b'])
  })

  it('may be a proxy, which controls only its own members', () => {
    expect(linked('export default new Proxy({ functions: { a() {} } }, {})')).toEqual(['functions.a'])
    expect(linked('export default new Proxy({}, { ownKeys() { throw new RangeError("mine") } })')).toBe('RangeError: mine')
    expect(
      linked('export default new Proxy({}, { ownKeys: () => ["functions"], getOwnPropertyDescriptor: () => undefined })'),
    ).toBe('TypeError: the default export.functions is a getter or setter')
    expect(linked('export default new Proxy({}, { ownKeys() { for (;;); } })')).toBe('out-of-gas')
  })
})
