import { fullMemory, lies, machinery } from './hostile-lies.mjs'
import { run } from './hostile-script.mjs'
import { calls, values } from './hostile-values.mjs'

/** @typedef {import('./hostile-script.mjs').Hostile} Hostile */

/** @type {readonly Hostile[]} */
const loops = [
  run('endless for', 'out-of-gas', 'for (;;);'),
  run('endless for with a try around each turn', 'out-of-gas', 'for (;;) try { throw 1 } catch {} finally { continue }'),
  run('endless recursion of generators', 'throw', 'function* g() { yield* g() } return [...g()].length', 'stack overflow'),
  run('iterator without end', 'out-of-gas', 'return [...{ [Symbol.iterator]: () => ({ next: () => ({ value: 1 }) }) }].length'),
  run(
    'destructuring of an endless iterator',
    'out-of-gas',
    'const [...all] = (function* () { for (;;) yield 1 })(); return all.length',
  ),
  run('labels and finally that never leave', 'out-of-gas', 'a: for (;;) { try { break a } finally { continue a } }'),
  run('length that lies to a builtin', 'out-of-gas', 'return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)'),
  run('join of a sparse array', 'out-of-gas', 'return (new Array(1e9) + "").length'),
  run('sort of a huge sparse array', 'out-of-gas', 'const a = []; a.length = 2 ** 32 - 1; return a.fill(1).length'),
  run('getter that never ends', 'out-of-gas', 'return { get x() { for (;;); } }.x'),
  run('loop while the module is linked', 'out-of-gas', 'return JSON.stringify({ toJSON() { for (;;); } })'),
  { name: 'loop at the top level', source: 'for (;;);', ends: 'compile', says: 'out-of-gas' },
  { name: 'loop in a static block', source: 'class A { static { for (;;); } }', ends: 'compile', says: 'out-of-gas' },
]

/** @type {readonly Hostile[]} */
const memory = [
  run('array that doubles', 'out-of-gas', 'let a = [1]; for (;;) a = a.concat(a)'),
  run('string that doubles', 'throw', 'let s = "ab"; for (;;) s += s'),
  run('padding to a billion', 'throw', 'return "x".padEnd(2 ** 29).length', 'out of memory'),
  run('repeat to a billion', 'throw', 'return "xy".repeat(2 ** 28).length'),
  run('typed array of 1 GiB', 'throw', 'return new Uint8Array(2 ** 30).length', 'out of memory'),
  run('map that grows', 'out-of-gas', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, m)'),
  run('objects in a list', 'out-of-gas', 'let o; for (;;) o = { o, a: [], b: {}, c: () => o }'),
  run('closures', 'out-of-gas', 'const all = []; for (;;) all.push((x) => all)'),
  run('atoms', 'out-of-gas', 'const o = {}; for (let i = 0; ; i++) o["k" + i] = i'),
  run('symbols', 'out-of-gas', 'const all = []; for (let i = 0; ; i++) all.push(Symbol.for("s" + i))'),
  run(
    'out of memory, caught, again and again',
    'out-of-gas',
    'for (;;) try { const a = []; for (;;) a.push(new Uint8Array(1e6)) } catch {}',
  ),
  run('garbage cycles', 'out-of-gas', 'for (;;) { const a = {}; a.a = { a } }'),
  run('huge left shift of a bigint', 'throw', 'return String(1n << (1n << 40n))', 'BigInt is too large to allocate'),
  run('huge power of a bigint', 'out-of-gas', 'return String(7n ** (10n ** 9n))'),
  run('bigint that squares', 'out-of-gas', 'let x = 3n; for (;;) x *= x'),
  run('digits of a large bigint', 'out-of-gas', 'return String(7n ** 300000n).length'),
  run(
    'JSON of nested sharing',
    'out-of-gas',
    'let o = [1]; for (let i = 0; i < 60; i++) o = [o, o]; return JSON.stringify(o).length',
  ),
  run('replace that multiplies', 'throw', 'let s = "aa"; for (;;) s = s.replace(/a/g, "$`$&$\'aa")'),
  run('array buffer resized', 'throw', 'return new ArrayBuffer(8, { maxByteLength: 2 ** 31 }).resize(2 ** 30)'),
]

/** @type {readonly Hostile[]} */
const nesting = [
  run('recursion', 'throw', 'const f = () => f() + 1; return f()', 'stack overflow'),
  run('recursion with many arguments', 'throw', 'const f = (...a) => f(...a, 1); return f()', 'stack overflow'),
  run(
    'recursion caught at every level',
    'return',
    'let n = 0; const f = () => { try { f() } catch { n++ } }; f(); return n > 0',
    true,
  ),
  run('JSON.parse of brackets', 'out-of-depth', 'return JSON.parse("[".repeat(1e5)).length'),
  run('JSON.parse of objects', 'out-of-depth', 'return JSON.parse(\'{"a":\'.repeat(1e5))'),
  run(
    'JSON.stringify of depth',
    'out-of-gas',
    'let a = []; for (let i = 0; i < 2e3; i++) a = [a]; return JSON.stringify(a).length',
  ),
  run('nested array to text', 'out-of-depth', 'let a = []; for (let i = 0; i < 1e4; i++) a = [a]; return String(a).length'),
  run('flat of depth', 'throw', 'let a = []; for (let i = 0; i < 1e4; i++) a = [a]; return a.flat(Infinity).length'),
  run('freeing a deep list', 'return', 'let a = []; for (let i = 0; i < 1e4; i++) a = [a]; a = null; return 1', 1),
  run(
    'chain of proxies',
    'throw',
    'let p = {}; for (let i = 0; i < 3000; i++) p = new Proxy(p, {}); return p.x',
    'stack overflow',
  ),
  run(
    'chain of bound functions',
    'throw',
    'let f = () => 1; for (let i = 0; i < 5000; i++) f = f.bind(null); return f()',
    'out of memory',
  ),
  run('toString in toString', 'throw', 'const o = { toString: () => "" + o }; return "" + o', 'stack overflow'),
  run('getter in getter', 'throw', 'const o = { get x() { return this.x } }; return o.x', 'stack overflow'),
  run('comparator in sort in comparator', 'throw', 'const f = () => [2, 1].sort(f).length; return f()', 'stack overflow'),
  run('replacer in replace in replacer', 'throw', 'const f = () => "a".replace(/a/, f); return f()', 'stack overflow'),
  run('constructor in constructor', 'throw', 'class A { constructor() { return new A() } } return new A()', 'stack overflow'),
  run('await in await', 'throw', 'const f = async () => await f(); return f()', 'stack overflow'),
  run('groups of a regular expression', 'out-of-depth', 'return new RegExp("(?:".repeat(1e5) + ")".repeat(1e5)).test("")'),
  { name: 'parser: brackets', source: '['.repeat(1e5), ends: 'compile', says: 'out-of-depth' },
  { name: 'parser: parentheses', source: '('.repeat(1e5), ends: 'compile', says: 'out-of-depth' },
  { name: 'parser: unary operators', source: `x = ${'!'.repeat(1e5)}1`, ends: 'compile', says: 'out-of-depth' },
  { name: 'parser: template literals', source: '`${'.repeat(1e5), ends: 'compile', says: 'out-of-depth' },
  { name: 'parser: arrow functions', source: `x = ${'a=>'.repeat(1e5)}1`, ends: 'compile', says: 'out-of-depth' },
  { name: 'parser: blocks', source: '{'.repeat(1e5), ends: 'compile', says: 'stack overflow' },
]

/** @type {readonly Hostile[]} */
const patterns = [
  run('nested quantifiers', 'out-of-gas', 'return /^(a+)+$/.test("a".repeat(40) + "!")'),
  run('alternatives that overlap', 'out-of-gas', 'return /^(a|a)*$/.test("a".repeat(40) + "!")'),
  run('back references', 'out-of-gas', 'return /^(a*)*\\1b$/.test("a".repeat(60))'),
  run('lookbehind', 'out-of-gas', 'return /(?<=^x(?:a|a)*)b/.test("a".repeat(40) + "b")'),
  run('a pattern of ten thousand', 'return', 'return new RegExp("a?".repeat(1e4)).test("b")', true),
  run('split to single letters', 'return', 'return "ab".repeat(1e4).split("").length', 20_000),
]

/** @type {readonly Hostile[]} */
const jobs = [
  run('promise that resolves itself again', 'out-of-gas', 'const f = () => Promise.resolve().then(f); return f()'),
  run(
    'promises that multiply',
    'out-of-gas',
    'const f = () => { Promise.resolve().then(f); Promise.resolve().then(f) }; f(); return 1',
  ),
  run('async loop', 'out-of-gas', 'return (async () => { for (;;) await 0 })()'),
  run('job that outlives the return', 'out-of-gas', 'Promise.resolve().then(() => { for (;;); }); return 1'),
  run('then of the value returned', 'out-of-gas', 'return Promise.resolve({ then() { for (;;); } })'),
  run(
    'promise never settled',
    'throw',
    'return new Promise(() => {})',
    'the promise never settles: nothing is left to run that could settle it',
  ),
  run('rejection that nobody sees', 'return', 'Promise.reject(new Error("unseen")); return 1', 1),
  run('import', 'throw', 'return import("fs")', "could not load module 'fs'"),
  run(
    'async generator without end',
    'out-of-gas',
    'return (async () => { for await (const x of (async function* () { for (;;) yield 1 })()); })()',
  ),
  { name: 'static import', source: 'import fs from "fs"', ends: 'compile', says: "could not load module 'fs'" },
]

const REACHES = [
  'Function',
  'globalThis.Function',
  '(() => 1).constructor',
  '(async () => 1).constructor',
  '(function* () {}).constructor',
  '(async function* () {}).constructor',
  'Object.getPrototypeOf(function () {}).constructor',
  'class { static m() {} }.m.constructor',
  'Reflect.get(Math.max, "constructor")',
  'host.get.constructor',
  'Object.getOwnPropertyDescriptor({ get x() { return 1 } }, "x").get.constructor',
]

/** @type {readonly Hostile[]} */
const reach = [
  ...REACHES.map((expression) =>
    run(
      `code from text: ${expression}`,
      'throw',
      `return ${expression}("return 1")()`,
      'code generation from strings is not allowed',
    ),
  ),
  run(
    'code from text: new',
    'throw',
    'return new (() => 1).constructor("return 1")()',
    'code generation from strings is not allowed',
  ),
  run(
    'code from text: Reflect.construct',
    'throw',
    'return Reflect.construct((() => 1).constructor, ["return 1"])',
    'code generation from strings is not allowed',
  ),
  run(
    'code from text: extends',
    'throw',
    'class A extends (() => 1).constructor {} return new A("return 1")()',
    'code generation from strings is not allowed',
  ),
  run('eval', 'throw', 'return eval("1")', "'eval' is not defined"),
  run('indirect eval', 'throw', 'return (0, globalThis.eval)("1")', 'not a function'),
  run(
    'constructors restored',
    'throw',
    'Object.defineProperty(Function.prototype, "constructor", { value: 1 })',
    'property is not configurable',
  ),
  run('clock', 'return', 'return typeof Date + typeof performance', 'undefinedundefined'),
  run('chance', 'return', 'return typeof Math.random + typeof crypto', 'undefinedundefined'),
  run(
    'garbage collection',
    'return',
    'return typeof WeakRef + typeof FinalizationRegistry + typeof gc',
    'undefinedundefinedundefined',
  ),
  run('shared memory', 'return', 'return typeof SharedArrayBuffer + typeof Atomics', 'undefinedundefined'),
  run(
    'platform',
    'return',
    'return [typeof process, typeof require, typeof console, typeof std, typeof os, typeof fetch, typeof setTimeout, typeof WebAssembly].join("")',
    'undefined'.repeat(8),
  ),
  run(
    'host object',
    'return',
    'return Object.getPrototypeOf(host) === Object.prototype && Object.isFrozen(host) && Object.isFrozen(host.get)',
    true,
  ),
  run('this of a function', 'return', 'return (function () { return this })() === undefined', true),
]

/** @type {readonly Hostile[]} */
const pollution = [
  run('then on all objects', 'return', 'Object.prototype.then = () => { for (;;); }; return 1', 1),
  run(
    'setters on all objects',
    'return',
    'Object.defineProperty(Object.prototype, "message", { set() { for (;;); } }); try { host.get({}) } catch (e) { return e.name }',
    'TypeError',
  ),
  run(
    'built-ins replaced',
    'throw',
    'String.prototype.slice = Object.keys = Reflect.apply = () => { for (;;); }; throw new Error("still told")',
    'still told',
  ),
  run(
    'names of an error',
    'throw',
    'const e = new Error(); e.name = {}; e.message = Symbol("x"); e.stack = 7; throw e',
    'Symbol(x)',
  ),
  run('proxy thrown', 'out-of-gas', 'throw new Proxy({}, { get() { for (;;); } })'),
  run('revoked proxy thrown', 'throw', 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy', ''),
  run(
    'proxy to the host',
    'return',
    'try { host.get(new Proxy({}, { get() { throw 1 } })) } catch (e) { return e.message }',
    'get: argument 1 must be a string',
  ),
  run(
    'text that shrinks while read',
    'return',
    'let n = 0; const o = { toString() { n++; return "x" } }; try { host.get(o) } catch {} return n',
    0,
  ),
  run(
    'host called with everything',
    'return',
    'let n = 0; for (const v of [undefined, null, 1, 1n, NaN, Symbol(), {}, [], () => 1, new Map(), 2n ** 400n, new Uint8Array(9), /x/]) try { host.get(v) } catch { n++ } return n',
    13,
  ),
  run('host called with nothing', 'throw', 'return host.get()', 'get: argument 1 must be a string'),
  run('host called as a constructor', 'throw', 'return new host.get("x")', 'get is not a constructor'),
  run('host called on another this', 'return', 'return host.get.call(null, "x") ?? "none"', 'none'),
  run(
    'host called from sort',
    'return',
    'return ["b", "a"].sort((a, b) => { host.get(a); return a < b ? -1 : 1 }).join("")',
    'ab',
  ),
  run(
    'no buffer that others could resize',
    'return',
    'return ["resize", "resizable", "maxByteLength", "transfer", "transferToFixedLength", "detached"].filter((name) => name in ArrayBuffer.prototype).length',
    0,
  ),
  run(
    'copying methods show no array that is half made',
    'return',
    'const odd = { length: 3, 0: 0, get 1() { return 5 }, 2: 2 }; return [Array.prototype.toReversed.call(odd), [1, 2].with(0, 3), [1, 2, 3].toSpliced(0, 2), [3, 1].toSorted()].join("|")',
    '2,5,0|3,2|3|1,3',
  ),
  run(
    'module that imports itself',
    'return',
    'return import("contract.js").catch((e) => e.message)',
    "could not load module 'contract.js'",
  ),
  run('host storm', 'out-of-gas', 'for (;;) host.get("k")'),
  run(
    'returns a function',
    'throw',
    'return () => 1',
    'the returned value is or contains an object that is neither a plain object nor an array',
  ),
  run('throws nothing', 'throw', 'throw undefined', ''),
  run('entry replaces itself', 'return', 'globalThis.run = 1; return 2', 2),
]

/** @type {readonly Hostile[]} */
export const HOSTILE = [
  ...loops,
  ...memory,
  ...nesting,
  ...patterns,
  ...jobs,
  ...reach,
  ...pollution,
  ...values,
  ...calls,
  ...lies,
  ...machinery,
  ...fullMemory,
]
