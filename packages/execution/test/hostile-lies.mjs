import { run, source } from './hostile-script.mjs'

const LOOP = '() => { for (;;); }'
const TRAP = `{ __proto__: null, get: ${LOOP}, set: ${LOOP}, configurable: true }`
/** @param {string} target @param {readonly string[]} keys */
const trap = (target, keys) => `for (const key of ${JSON.stringify(keys)}) Object.defineProperty(${target}, key, ${TRAP}); `

/**
 * Prototypes and built-ins replaced after the prelude, and errors that lie.
 *
 * @type {readonly import('./hostile-script.mjs').Hostile[]}
 */
export const lies = [
  run(
    'numeric setters on all objects',
    'throw',
    `const e = new Error("told"); ${trap('Object.prototype', ['0', '1', '2', 'length'])} throw e`,
    'told',
  ),
  run('numeric setters on arrays', 'throw', `${trap('Array.prototype', ['0', '1', '2'])} throw new Error("told")`, 'told'),
  run(
    'descriptor keys on all objects',
    'throw',
    `const e = new Error("told"); ${trap('Object.prototype', ['value', 'get', 'set', 'writable', 'enumerable'])} throw e`,
    'told',
  ),
  run(
    'descriptor keys under a refusal',
    'throw',
    `${trap('Object.prototype', ['value', 'writable', 'enumerable', 'configurable', 'get', 'set'])} host.fail("told")`,
    'told',
    undefined,
    [1, 2, 3],
  ),
  run(
    'error keys under a refusal',
    'throw',
    `for (const p of [Object.prototype, Error.prototype]) { ${trap('p', ['message', 'name', 'data', 'cause'])} } host.fail("told")`,
    'told',
    undefined,
    [1, 2, 3],
  ),
  run(
    'built-ins gone under a refusal',
    'throw',
    'Object.defineProperty = Object.setPrototypeOf = globalThis.Error = globalThis.TypeError = globalThis.Uint8Array = null; host.fail("told")',
    'told',
    undefined,
    [1, 2, 3],
  ),
  run(
    'species and constructors of bytes',
    'throw',
    `${trap('Uint8Array', ['prototype2'])} Object.defineProperty(Object.getPrototypeOf(Uint8Array), Symbol.species, ${TRAP}); Object.defineProperty(ArrayBuffer.prototype, "constructor", ${TRAP}); Object.defineProperty(Uint8Array.prototype, "constructor", ${TRAP}); host.fail("told")`,
    'told',
    undefined,
    [1, 2, 3],
  ),
  run(
    'conversions replaced',
    'throw',
    `String.prototype.toString = String.prototype.valueOf = Number.prototype.toString = Number.prototype.valueOf = ${LOOP}; String.prototype[Symbol.toPrimitive] = ${LOOP}; throw new Error("told")`,
    'told',
  ),
  run(
    'calls replaced',
    'throw',
    `Function.prototype.call = Function.prototype.apply = Reflect.apply = Array.prototype.map = Array.prototype[Symbol.iterator] = ${LOOP}; throw new Error("told")`,
    'told',
  ),
  run(
    'promises replaced',
    'return',
    `Promise.prototype.then = Promise.resolve = Promise.prototype.finally = ${LOOP}; return (async () => { await 0; return [1] })()`,
    [1],
  ),
  run(
    'then on all objects, read for a structure',
    'out-of-gas',
    `${trap('Object.prototype', ['then'])} return (async () => ({ a: 1 }))()`,
  ),
  run(
    'then on all objects, not read without a promise',
    'return',
    `${trap('Object.prototype', ['then', 'toJSON'])} return { a: 1 }`,
    { a: 1 },
  ),
  run(
    'host answers on polluted prototypes',
    'return',
    `${trap('Object.prototype', ['a', '0'])} ${trap('Array.prototype', ['1'])} return host.echo([{ a: 1, 0: 2 }, 3])`,
    [{ a: 1, 0: 2 }, 3],
  ),
  run('error with a name that never ends', 'out-of-gas', 'throw { get name() { for (;;); } }'),
  run('error with a message that never ends', 'out-of-gas', 'throw { message: { toString() { for (;;); } } }'),
  run('error with a stack that never ends', 'out-of-gas', 'throw { get stack() { for (;;); } }'),
  run('error with data that never end', 'out-of-gas', 'throw { get data() { for (;;); } }'),
  run('error with data that throw', 'throw', 'throw { message: "told", get data() { throw new Uint8Array(4) } }', 'told'),
  run('error with data of another class', 'throw', 'throw { message: "told", data: new Uint8ClampedArray(4) }', 'told'),
  run('error with data of a proxy', 'throw', 'throw { message: "told", data: new Proxy(new Uint8Array(4), {}) }', 'told'),
  run(
    'error with data that pretend',
    'throw',
    'throw { message: "told", data: Object.create(Uint8Array.prototype, { length: { value: 4 }, 0: { value: 1 } }) }',
    'told',
  ),
  run(
    'error with data whose length lies',
    'throw',
    'throw { message: "told", data: new (class extends Uint8Array { get length() { return 4 } })(2000) }',
    'told',
  ),
  run('error with too much data', 'throw', 'throw { message: "told", data: new Uint8Array(1025) }', 'told'),
  run(
    'error with all the data',
    'throw',
    'throw { message: "told", data: new Uint8Array(1024).fill(5) }',
    'told',
    undefined,
    Array(1024).fill(5),
  ),
  run(
    'error with data of the prototype',
    'throw',
    'Object.prototype.data = new Uint8Array([9]); throw new Error("told")',
    'told',
    undefined,
    [9],
  ),
  run('error with a message of a million', 'throw', 'throw new Error("x".repeat(1e6))', 'x'.repeat(2048)),
  run('error with a message of commas', 'throw', 'throw { name: "1,2,3", message: ",,9,", stack: "0,0," }', ',,9,'),
  run('error without prototype', 'throw', 'throw Object.freeze({ __proto__: null, message: "told", name: Symbol("n") })', 'told'),
  run(
    'error that is a function',
    'throw',
    'throw Object.assign(() => 1, { message: "told", data: new Uint8Array([1]) })',
    'told',
    undefined,
    [1],
  ),
  run('error that is a huge bigint', 'throw', 'throw 2n ** 10000n'),
  run('error whose message cannot be text', 'throw', 'throw { message: Object.create(null) }', ''),
  run(
    'stack trace prepared',
    'throw',
    `Error.prepareStackTrace = ${LOOP}; Error.stackTraceLimit = Infinity; throw new Error("told")`,
    'told',
  ),
  run(
    'stack trace without end',
    'throw',
    'const f = (n) => { if (n === 0) throw new Error("told"); return f(n - 1) + 1 }; return f(200)',
    'told',
  ),
  run('refusal thrown again', 'throw', 'try { host.fail("told") } catch (e) { throw e }', 'told', undefined, [1, 2, 3]),
  run(
    'refusal with other data',
    'throw',
    'try { host.fail("told") } catch (e) { e.data.fill(7); e.message = "mine"; throw e }',
    'mine',
    undefined,
    [7, 7, 7],
  ),
  run('refusal without its data', 'throw', 'try { host.fail("told") } catch (e) { e.data = "none"; throw e }', 'told'),
  run('refusal swallowed', 'return', 'try { host.fail("told") } finally { return 1 }', 1),
  run('gas swallowed', 'out-of-gas', 'try { for (;;); } catch {} finally { return 1 }'),
  run(
    'refusal of a rejected promise',
    'throw',
    'return Promise.all([1, 2].map(async (n) => { await n; host.fail("told " + n) }))',
    'told 1',
    undefined,
    [1, 2, 3],
  ),
]

/** Generators, jobs and modules. @type {readonly import('./hostile-script.mjs').Hostile[]} */
export const machinery = [
  run(
    'generator whose finally never ends',
    'out-of-gas',
    'function* g() { try { yield 1 } finally { for (;;); } } for (const x of g()) break; return 1',
  ),
  run(
    'generator left half-way',
    'return',
    'function* g() { try { yield 1; yield 2 } finally { for (;;); } } return g().next().value',
    1,
  ),
  run(
    'generator that runs itself',
    'throw',
    'const g = (function* () { g.next() })(); g.next()',
    'cannot invoke a running generator',
  ),
  run('generator of structures', 'return', 'return [...(function* () { for (let i = 0; i < 3; i++) yield host.echo([i]) })()]', [
    [0],
    [1],
    [2],
  ]),
  run(
    'async generator with a queue',
    'return',
    'const g = (async function* () { for (;;) yield 1 })(); for (let i = 0; i < 500; i++) g.next(); return g.return([2]).then((r) => r)',
    { value: [2], done: true },
  ),
  run(
    'a thousand promises',
    'return',
    'return Promise.all(Array.from({ length: 1000 }, (_, i) => Promise.resolve(i))).then((all) => [all.length])',
    [1000],
  ),
  run('promise of itself', 'throw', 'const p = (async () => { await 0; return p })(); return p'),
  run(
    'promise of a class',
    'return',
    'return new (class extends Promise { then() { for (;;); } })((resolve) => resolve([1]))',
    [1],
  ),
  run('promise resolved with a proxy', 'out-of-gas', 'return (async () => new Proxy({}, { get() { for (;;); } }))()'),
  run(
    'rejection with a structure',
    'throw',
    'return Promise.reject({ message: "told", data: new Uint8Array([4]) })',
    'told',
    undefined,
    [4],
  ),
  run('jobs after the value', 'return', 'const a = [1]; Promise.resolve().then(() => a.push(2)); return a', [1, 2]),
  run(
    'code from text: bound',
    'throw',
    'return (() => 1).constructor.bind(null, "return 1")()',
    'code generation from strings is not allowed',
  ),
  run(
    'code from text: apply',
    'throw',
    'return Function.prototype.constructor.apply(null, ["return 1"])',
    'code generation from strings is not allowed',
  ),
  run(
    'code from text: async, constructed',
    'throw',
    'return Reflect.construct((async () => 1).constructor, ["return 1"])',
    'code generation from strings is not allowed',
  ),
  run(
    'code from text: generator, constructed',
    'throw',
    'return Reflect.construct((function* () {}).constructor, ["yield 1"], Object)',
    'code generation from strings is not allowed',
  ),
  run(
    'code from text: async generator, extended',
    'throw',
    'return new (class extends (async function* () {}).constructor {})("yield 1")',
    'code generation from strings is not allowed',
  ),
  run(
    'code from text: constructor of a constructor',
    'throw',
    'return [].constructor.constructor("return 1")()',
    'code generation from strings is not allowed',
  ),
  run(
    'code from text: of a refusal',
    'throw',
    'try { host.fail("x") } catch (e) { return e.constructor.constructor("return 1")() }',
    'code generation from strings is not allowed',
  ),
  run(
    'code from text: of an answer',
    'throw',
    'return host.echo({}).constructor.constructor("return 1")()',
    'code generation from strings is not allowed',
  ),
  source(
    'link under descriptor keys',
    'return',
    `${trap('Object.prototype', ['get', 'set', 'value', 'writable'])} export function run() { return [1] }`,
    [1],
  ),
  source(
    'link under numeric keys',
    'return',
    `${trap('Array.prototype', ['0', '1', '2', '3'])} export function run() { return [1] }`,
    [1],
  ),
  source(
    'link on arrays that never end',
    'return',
    'Object.setPrototypeOf(Array.prototype, new Proxy(Object.prototype, { get: () => "more" })); export function run() { return [1] }',
    [1],
  ),
  source(
    'link with keys replaced',
    'return',
    `Object.keys = Object.defineProperty = ${LOOP}; export function run() { return [1] }`,
    [1],
  ),
  source('entry that is a proxy', 'out-of-gas', `export const run = new Proxy(() => 1, { apply: ${LOOP} })`),
  source('entry that is a host function', 'return', 'export const run = host.echo', undefined),
  source('entry that is a class', 'throw', 'export class run {}', "class constructors must be invoked with 'new'"),
  source(
    'entry that is a generator',
    'throw',
    'export function* run() { yield 1 }',
    'the returned value is or contains an object that is neither a plain object nor an array',
  ),
  source('entry exchanged', 'return', 'export let run = () => { run = null; return [1] }', [1]),
]

/** Allocates ever smaller pieces until no memory is left, and keeps them. */
const FILL =
  'let chain = null; const fill = () => { const kept = [chain]; chain = kept; for (let n = 1e6; n >= 1; n >>= 1) try { for (;;) kept.push(new Uint8Array(n)) } catch {} try { for (;;) chain = [chain] } catch {} }'

/** No memory is left when a value crosses. @type {readonly import('./hostile-script.mjs').Hostile[]} */
export const fullMemory = [
  run('full memory, then a value', 'return', 'fill(); return 1', 1, FILL),
  run('full memory, then a structure', 'throw', 'fill(); return [{}]', 'the thrown value could not be converted to text', FILL),
  run('full memory, then a structure made before', 'return', 'const a = [{ b: [1] }]; fill(); return a', [{ b: [1] }], FILL),
  run('full memory, then an error', 'throw', 'fill(); throw new Error("x".repeat(100))', undefined, FILL),
  run(
    'full memory, then an error made before',
    'throw',
    'const e = new Error("told"); e.data = new Uint8Array(4); fill(); throw e',
    undefined,
    FILL,
  ),
  run('full memory, then a number', 'throw', 'fill(); throw 7', undefined, FILL),
  run('full memory, then a promise', 'throw', 'fill(); return (async () => 1)()', undefined, FILL),
  run('full memory, then a promise made before', 'throw', 'const p = Promise.reject(7); fill(); return p', undefined, FILL),
  run('full memory, then a host call', 'return', 'const text = "k"; fill(); return host.echo(text)', 'k', FILL),
  run('full memory, then a host call with a structure', 'throw', 'const a = [[1]]; fill(); return host.echo(a)', undefined, FILL),
  run('full memory, then a refusal', 'throw', 'fill(); return host.fail("x")', undefined, FILL),
  run('full memory, then a refused argument', 'throw', 'fill(); return host.get(1)', undefined, FILL),
  source('full memory at the end of the module', 'compile', `${FILL}; export function run() { return 1 } fill()`),
  source(
    'full memory in a job of the module',
    'compile',
    `${FILL}; export function run() { return 1 } Promise.resolve().then(fill)`,
  ),
]
