/**
 * JavaScript that runs in every guest before any contract. It is an expression: a function of the host functions that returns the
 * two functions the interpreter calls (`describe` and `dress`). It removes what would differ between machines and what would
 * create code from strings. It keeps its own copies of the built-ins that it uses, because a contract may replace them. Part of
 * the execution version.
 */
export const PRELUDE = `(host, errorTextMax) => {
  'use strict'
  const NativeObject = Object
  const { defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf, keys, setPrototypeOf } = Object
  const { apply } = Reflect
  const { max, min, trunc } = Math
  const { slice } = String.prototype
  const text = String
  const drop = (object, name) => { if (!delete object[name]) throw new Error(name + ' stays') }

  // Randomness, shared memory, and objects that reveal when garbage is collected.
  for (const name of ['Date', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry', 'performance']) drop(globalThis, name)
  drop(Math, 'random')

  // Buffers that shrink, grow or detach while they are in use. The known memory errors of QuickJS begin there
  // (docs/interpreter-security.md).
  for (const name of ['resize', 'resizable', 'maxByteLength', 'transfer', 'transferToFixedLength', 'detached']) drop(ArrayBuffer.prototype, name)
  const NativeBuffer = ArrayBuffer
  const { construct } = Reflect
  const fixed = function ArrayBuffer(length) {
    if (new.target === undefined) throw new TypeError("constructor requires 'new'")
    return construct(NativeBuffer, [length], new.target)
  }
  const hidden = (value, writable) => ({ __proto__: null, value, writable, enumerable: false, configurable: writable })
  defineProperty(fixed, 'prototype', hidden(NativeBuffer.prototype, false))
  defineProperty(NativeBuffer.prototype, 'constructor', hidden(fixed, true))
  defineProperty(fixed, 'isView', hidden(NativeBuffer.isView, true))
  defineProperty(fixed, Symbol.species, { __proto__: null, get: getOwnPropertyDescriptor(NativeBuffer, Symbol.species).get, enumerable: false, configurable: true })
  defineProperty(globalThis, 'ArrayBuffer', hidden(fixed, true))

  // QuickJS's own versions of these expose, and write to, half-built arrays (upstream issue 471).
  const { sort } = Array.prototype
  const lengthOf = (object) => min(max(trunc(+object.length) || 0, 0), 2 ** 53 - 1)
  const offsetOf = (value, length) => {
    const offset = trunc(+value) || 0
    return offset < 0 ? max(offset + length, 0) : min(offset, length)
  }
  const item = { __proto__: null, value: undefined, writable: true, enumerable: true, configurable: true }
  const put = (array, index, value) => {
    item.value = value
    defineProperty(array, index, item)
    item.value = undefined
  }
  const LENGTH_MAX = 2 ** 32 - 1
  const copy = (object, length, read) => {
    if (length > LENGTH_MAX) throw new RangeError('invalid array length')
    const array = []
    for (let i = 0; i < length; i++) put(array, i, read(i))
    return array
  }
  const objectOf = (value) => {
    if (value === undefined || value === null) throw new TypeError('cannot convert to object')
    return NativeObject(value)
  }
  const copying = {
    toReversed() {
      const object = objectOf(this)
      const length = lengthOf(object)
      return copy(object, length, (i) => object[length - 1 - i])
    },
    toSorted(compare) {
      if (compare !== undefined && typeof compare !== 'function') throw new TypeError('not a function')
      const object = objectOf(this)
      return apply(sort, copy(object, lengthOf(object), (i) => object[i]), [compare])
    },
    toSpliced(start, count, ...items) {
      const object = objectOf(this)
      const length = lengthOf(object)
      const from = offsetOf(start, length)
      const skipped = arguments.length === 0 ? 0 : arguments.length === 1 ? length - from : min(max(trunc(+count) || 0, 0), length - from)
      const added = items.length
      const made = length - skipped + added
      if (made > 2 ** 53 - 1) throw new TypeError('invalid array length')
      return copy(object, made, (i) => (i < from ? object[i] : i < from + added ? items[i - from] : object[i - added + skipped]))
    },
    with(index, value) {
      const object = objectOf(this)
      const length = lengthOf(object)
      const relative = trunc(+index) || 0
      const at = relative < 0 ? relative + length : relative
      if (at < 0 || at >= length) throw new RangeError('out of bound')
      return copy(object, length, (i) => (i === at ? value : object[i]))
    },
  }
  for (const name of keys(copying)) defineProperty(Array.prototype, name, hidden(copying[name], true))

  // Code from strings: eval, and the constructors of the four kinds of functions, which any function gives access to.
  drop(globalThis, 'eval')
  const refused = () => { throw new EvalError('code generation from strings is not allowed') }
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

  // QuickJS's asUintN returns negative numbers when the top bit is set (js_bigint_asUintN, quickjs.c line 55254). Its asIntN is
  // right, and converts and refuses arguments as both must. A width that would take too much memory gives a RangeError from the
  // shift.
  const { asIntN } = BigInt
  const toBigInt = BigInt
  const { asUintN } = {
    asUintN(bits, bigint) {
      const width = +bits
      const signed = asIntN(width, bigint)
      return signed < 0n ? signed + (1n << toBigInt(trunc(width))) : signed
    },
  }
  defineProperty(BigInt, 'asUintN', { value: asUintN, writable: true, enumerable: false, configurable: true })

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
  /** Name, message and stack of any thrown value, with their lengths in front; and the data property of an object. */
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
  /** Gives a new error the message, name and data that the host chose. */
  const dress = (error, message, name, data) => {
    define(error, 'message', message)
    if (name !== undefined && natives[name] !== undefined) setPrototypeOf(error, natives[name])
    else if (name !== undefined) define(error, 'name', name)
    if (data !== undefined) define(error, 'data', data)
  }
  return [describe, dress]
}`

/**
 * The simplest link: every exported function is an entry, and the host functions are the global \`host\`. It is an expression: a
 * function of the host functions that returns a function of the module's namespace, which returns names and functions
 * alternately.
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
