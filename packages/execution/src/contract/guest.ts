/**
 * The `link` of the interpreter that runs contracts: turns a contract's module into its entries and defines the global `quoin`
 * (`vm/prelude.ts` explains links). It runs in the guest. Its first half runs before the module is evaluated, the function that
 * it returns runs afterwards, when the module may have replaced every built-in. So it uses copies of built-ins, and descriptors
 * without a prototype. Part of the execution version.
 *
 * Entries are `constructor`, `receive`, `fallback`, `migrate` and `functions.<name>`.
 */
export const GUEST_LINK = `(host) => {
  'use strict'
  const { create, defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf, hasOwn, keys } = Object
  const { ownKeys } = Reflect
  const { isArray } = Array
  const plain = Object.prototype

  const quoin = create(null)
  const environment = { __proto__: null, sender: 1, value: 1, self: 1, chainId: 1, block: 1, gasLeft: 1 }
  for (const name of keys(host)) {
    const member = host[name]
    defineProperty(quoin, name, environment[name] ? { get: member, enumerable: true } : { value: member, enumerable: true })
  }
  defineProperty(globalThis, 'quoin', { value: freeze(quoin), writable: false, enumerable: false, configurable: false })

  const isPlain = (value) => {
    if (typeof value !== 'object' || value === null || isArray(value)) return false
    const prototype = getPrototypeOf(value)
    return prototype === plain || prototype === null
  }
  /** Passes each own data property to \`each\`. \`where\` is the object's name in errors. */
  const members = (object, where, each) => {
    const names = ownKeys(object)
    for (let i = 0; i < names.length; i++) {
      const name = names[i]
      if (typeof name !== 'string') throw new TypeError(where + ' has a member whose name is a symbol')
      const descriptor = getOwnPropertyDescriptor(object, name)
      if (descriptor === undefined || !hasOwn(descriptor, 'value')) throw new TypeError(where + '.' + name + ' is a getter or setter')
      each(name, descriptor.value)
    }
  }

  return (module) => {
    const exported = keys(module)
    for (let i = 0; i < exported.length; i++)
      if (exported[i] !== 'default') throw new TypeError('the module exports ' + exported[i] + ', only a default export is allowed')
    if (exported.length === 0) throw new TypeError('the module has no default export')
    const contract = module.default
    if (!isPlain(contract)) throw new TypeError('the default export is not a plain object')
    const entries = []
    let count = 0
    const add = (name, value, title) => {
      if (typeof value !== 'function') throw new TypeError(title + ' is not a function')
      defineProperty(entries, count++, { __proto__: null, value: name })
      defineProperty(entries, count++, { __proto__: null, value })
    }
    members(contract, 'the default export', (name, value) => {
      switch (name) {
        case 'constructor':
        case 'receive':
        case 'fallback':
        case 'migrate':
          return add(name, value, name)
        case 'functions':
          if (!isPlain(value)) throw new TypeError('functions is not a plain object')
          return members(value, 'functions', (key, called) => add('functions.' + key, called, 'functions.' + key))
        default:
          throw new TypeError('the default export has the unknown member ' + name + ': a contract has constructor, receive, fallback, migrate and functions')
      }
    })
    return entries
  }
}`
