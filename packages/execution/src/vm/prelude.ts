/**
 * JavaScript that runs in every guest before any contract: an expression, a function of the host functions that answers with what
 * the engine calls. It takes away what would differ between machines or make code from text, and keeps its own copies of the built-ins it
 * uses, for a contract may replace them. Part of the execution version.
 */
export const PRELUDE = `(host, errorTextMax) => {
  'use strict'
  const { defineProperty, freeze, getPrototypeOf, keys, setPrototypeOf } = Object
  const { apply } = Reflect
  const { slice } = String.prototype
  const text = String
  const drop = (object, name) => { if (!delete object[name]) throw new Error(name + ' stays') }

  // Chance, shared memory, and what shows when garbage is collected.
  for (const name of ['Date', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry', 'performance']) drop(globalThis, name)
  drop(Math, 'random')

  // Code from text: eval, and the constructors of the four kinds of functions, which every function leads to.
  drop(globalThis, 'eval')
  const refused = () => { throw new EvalError('code cannot be made from text') }
  const inert = (name, prototype) => {
    const constructor = { [name]: function () { refused() } }[name]
    defineProperty(constructor, 'prototype', { value: prototype, writable: false, enumerable: false, configurable: false })
    defineProperty(prototype, 'constructor', { value: constructor, writable: false, enumerable: false, configurable: false })
    return constructor
  }
  const Function = inert('Function', getPrototypeOf(function () {}))
  inert('GeneratorFunction', getPrototypeOf(function* () {}))
  inert('AsyncFunction', getPrototypeOf(async function () {}))
  inert('AsyncGeneratorFunction', getPrototypeOf(async function* () {}))
  defineProperty(globalThis, 'Function', { value: Function, writable: true, enumerable: false, configurable: true })

  for (const name of keys(host)) freeze(host[name])
  freeze(host)

  const part = (read) => {
    try {
      const value = read()
      return value === undefined ? '' : apply(slice, text(value), [0, errorTextMax])
    } catch {
      return ''
    }
  }
  const dataOf = (error) => {
    try {
      return error.data
    } catch {}
  }
  /** name, message and stack of anything thrown, each behind its length, and the data of an object. */
  const describe = (error) => {
    const isObject = (typeof error === 'object' && error !== null) || typeof error === 'function'
    const name = isObject ? part(() => error.name) : ''
    const message = part(() => (isObject ? error.message : error))
    const stack = isObject ? part(() => error.stack) : ''
    return [name.length + ',' + message.length + ',' + name + message + stack, isObject ? dataOf(error) : undefined]
  }

  const natives = { __proto__: null }
  for (const { prototype } of [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) natives[prototype.name] = prototype
  const define = (error, name, value) =>
    defineProperty(error, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true })
  /** Makes a new error the host's: message, name and data. */
  const dress = (error, message, name, data) => {
    define(error, 'message', message)
    if (name !== undefined && natives[name] !== undefined) setPrototypeOf(error, natives[name])
    else if (name !== undefined) define(error, 'name', name)
    if (data !== undefined) define(error, 'data', data)
  }
  return [describe, dress]
}`

/**
 * The plainest way from a module to its entries: the functions that it exports, with the host functions as the global \`host\`. An
 * expression, a function of the host functions that answers with a function of the module's namespace, which answers with names and
 * functions by turns.
 */
export const EXPORTS_AS_ENTRIES = `(host) => {
  'use strict'
  const { defineProperty, keys } = Object
  defineProperty(globalThis, 'host', { value: host, writable: false, enumerable: false, configurable: false })
  return (module) => {
    const entries = []
    let count = 0
    for (const name of keys(module)) {
      const value = module[name]
      if (typeof value !== 'function') continue
      defineProperty(entries, count++, { __proto__: null, value: name })
      defineProperty(entries, count++, { __proto__: null, value })
    }
    return entries
  }
}`
