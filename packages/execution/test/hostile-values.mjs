import { run } from './hostile-script.mjs'

const OTHER = 'an object that is neither a plain object nor an array'
const returned = (/** @type {string} */ what) => `the returned value is or contains ${what}`
const argument = (/** @type {string} */ what) =>
  `echo: argument 1 must be a string, number, bigint, boolean, Uint8Array, or an array or plain object of these; it is or contains ${what}`
const LEVELS = 'more than 40 levels of nesting, or a cycle'

/**
 * Values that must not be passed, or not as what they pretend to be. @type {readonly import('./hostile-script.mjs').Hostile[]}
 */
export const values = [
  run('returns a proxy', 'throw', 'return new Proxy([], { get() { for (;;); }, ownKeys() { for (;;); } })', returned(OTHER)),
  run('returns a proxy inside', 'throw', 'return [{ a: new Proxy({}, {}) }]', returned(OTHER)),
  run('returns a getter that never ends', 'throw', 'return { get a() { for (;;); } }', returned('a getter or setter')),
  run(
    'returns an array of getters',
    'throw',
    'const a = [1]; Object.defineProperty(a, 0, { get() { for (;;); } }); return a',
    returned('a getter or setter'),
  ),
  run('returns itself', 'throw', 'const a = []; a.push({ a }); return a', returned(LEVELS)),
  run('returns ten thousand levels', 'throw', 'let a = []; for (let i = 0; i < 1e4; i++) a = [a]; return a', returned(LEVELS)),
  run('returns two to the 38th of one array', 'out-of-gas', 'let a = [1]; for (let i = 0; i < 38; i++) a = [a, a]; return a'),
  run('returns one object many times', 'return', 'const a = { a: 1n }; return [a, a, { a }]', [
    { a: 1n },
    { a: 1n },
    { a: { a: 1n } },
  ]),
  run('returns the longest array', 'throw', 'const a = []; a.length = 2 ** 32 - 1; return a', returned('an array with holes')),
  run('returns a million elements', 'out-of-gas', 'return new Array(1e6).fill(0)'),
  run('returns many members', 'out-of-gas', 'const o = {}; for (let i = 0; i < 3e4; i++) o["k" + i] = i; return o'),
  run(
    'returns holes that the prototype fills',
    'throw',
    'Array.prototype[1] = 7; return [0, , 2]',
    returned('an array with holes'),
  ),
  run(
    'returns an array whose length lies',
    'return',
    'return new (class extends Array { get length() { for (;;); } [Symbol.iterator]() { for (;;); } toJSON() { for (;;); } })(1, 2)',
    [1, 2],
  ),
  run('returns an array without prototype', 'return', 'return Object.setPrototypeOf([1, [2]], null)', [1, [2]]),
  run(
    'returns an object on a proxy',
    'return',
    'return Object.create(new Proxy({}, { get() { for (;;); } }), { a: { value: 1, enumerable: true } })',
    { a: 1 },
  ),
  run('returns toJSON', 'throw', 'return { toJSON() { for (;;); } }', returned(OTHER)),
  run(
    'returns conversions under symbols',
    'return',
    'return { a: 1, [Symbol.toPrimitive]() { for (;;); }, [Symbol.iterator]() { for (;;); }, [Symbol.toStringTag]: "x" }',
    { a: 1 },
  ),
  run('returns what is not enumerable', 'return', 'return Object.defineProperty({ a: 1 }, "b", { value() { for (;;); } })', {
    a: 1,
  }),
  run('returns private fields', 'return', 'return new (class { #a = () => 1; b = 2 })()', { b: 2 }),
  run(
    'returns __proto__ as a member',
    'return',
    'return Object.keys(host.echo(JSON.parse(\'{"__proto__":{"x":1}}\'))).join() + typeof ({}).x',
    '__proto__undefined',
  ),
  run('returns arguments', 'throw', 'return arguments', returned(OTHER)),
  run('returns boxed values', 'throw', 'return [new Number(1)]', returned(OTHER)),
  run('returns an error', 'throw', 'return new Error("x")', returned(OTHER)),
  run('returns a promise inside', 'throw', 'return [Promise.resolve(1)]', returned(OTHER)),
  run('returns a generator', 'throw', 'return (function* () { for (;;); })()', returned(OTHER)),
  run('returns the global object', 'throw', 'return globalThis', returned(OTHER)),
  run('returns the host', 'throw', 'return host', returned(OTHER)),
  run('returns a symbol inside', 'throw', 'return { a: [Symbol.iterator] }', returned('a symbol')),
  run('returns a huge bigint inside', 'throw', 'return { a: [2n ** 100000n] }', returned('a bigint of more than 288 bits')),
  run(
    'returns NaN of another kind',
    'return',
    'return [new Float64Array(new Uint8Array([1, 2, 3, 4, 5, 6, 255, 255]).buffer)[0]]',
    [Number.NaN],
  ),
  run(
    'returns floats that look like tags',
    'return',
    'return new Float64Array(new Uint32Array([16, 0x80000009, 16, 7, 16, 0xfff80001]).buffer).reduce((n, x) => n + (host.num(x) === x || x !== x), 0)',
    3,
  ),
  run(
    'returns strings in pieces',
    'out-of-gas',
    'const s = "ab".repeat(8000); const a = []; for (let i = 0; i < 400; i++) a.push(s + i + s); return a',
  ),
  run(
    'returns a string that fills memory',
    'throw',
    'globalThis.kept = new Uint8Array(1.67e7); const s = "ab".repeat(1e5); return [s + "c"]',
    returned('a string that does not fit into memory'),
  ),
  run(
    'bytes of a class whose length lies',
    'return',
    'return new (class extends Uint8Array { get length() { return 9 } get byteLength() { return 9 } slice() { for (;;); } })(2).fill(7)',
    Uint8Array.of(7, 7),
  ),
  run('bytes without prototype', 'return', 'return [Object.setPrototypeOf(new Uint8Array([1]), null)]', [Uint8Array.of(1)]),
  run('a buffer cannot be detached', 'throw', 'const a = new Uint8Array(8); a.buffer.transfer(); return [a]', 'not a function'),
  run('a buffer cannot be resized', 'throw', 'new ArrayBuffer(64, { maxByteLength: 64 }).resize(4)', 'not a function'),
  run('bytes of a million', 'return', 'return host.put("k", new Uint8Array(1e6))', 1_000_000),
  run('words instead of bytes', 'throw', 'return [new Uint16Array(2)]', returned(OTHER)),
  run('buffer instead of bytes', 'throw', 'return new ArrayBuffer(8)', returned(OTHER)),
]

/** Wrong calls of host functions. @type {readonly import('./hostile-script.mjs').Hostile[]} */
export const calls = [
  run('proxy as a structure', 'throw', 'return host.echo(new Proxy({}, { ownKeys() { for (;;); } }))', argument(OTHER)),
  run('getter as a structure', 'throw', 'return host.echo([{ get a() { for (;;); } }])', argument('a getter or setter')),
  run('cycle as a structure', 'throw', 'const o = {}; o.o = o; return host.echo(o)', argument(LEVELS)),
  run('structure of sharing', 'out-of-gas', 'let a = [1]; for (let i = 0; i < 38; i++) a = { a, b: a }; return host.echo(a)'),
  run('structure storm', 'out-of-gas', 'const a = Array.from({ length: 100 }, (_, i) => ({ i, s: "x" })); for (;;) host.echo(a)'),
  run('refusal storm', 'out-of-gas', 'for (;;) try { host.fail("x") } catch {}'),
  run(
    'every kind with everything',
    'return',
    `const all = [undefined, null, true, 1, -0, NaN, 1n, 2n ** 400n, "x", Symbol(), () => 1, {}, [], new Uint8Array(1), new Proxy({}, {}), new Map(), host];
    return ["get", "num", "big", "flag", "any", "echo", "emit", "sum"].map((name) => all.filter((v) => { try { host[name](v); return true } catch (e) { return e.name !== "TypeError" } }).length).join()`,
    '1,3,1,1,9,11,1,1',
  ),
  run(
    'every tail with everything',
    'return',
    `return [Symbol(), () => 1, 2n ** 400n, new Proxy([], {})].filter((v) => { try { host.emit("e", 1, v); return true } catch (e) { return !e.message.startsWith("emit: argument 3 ") } }).length`,
    0,
  ),
  run(
    'a thousand arguments',
    'throw',
    'return host.emit("e", ...new Array(1000).fill(1))',
    'emit: too many arguments, at most 72 are allowed',
  ),
  run('a hundred thousand arguments', 'throw', 'return host.emit(...new Array(1e5).fill("x"))'),
  run('arguments that lie about their number', 'throw', 'return host.emit.apply(null, { length: 2 ** 32 })'),
  run('arguments whose number never ends', 'out-of-gas', 'return Reflect.apply(host.echo, null, { get length() { for (;;); } })'),
  run('a thousand arguments for one', 'return', 'return host.echo(...new Array(1000).fill([1]))', [1]),
  run('host function constructed', 'throw', 'return Reflect.construct(host.echo, [1])', 'echo is not a constructor'),
  run('host function as new.target', 'throw', 'return Reflect.construct(Object, [], host.echo)', 'echo is not a constructor'),
  run('host function extended', 'throw', 'return new (class extends host.echo {})()', 'parent class must be constructor'),
  run(
    'host function as a getter',
    'return',
    'return [Object.defineProperty({}, "x", { get: host.echo }).x, [3].map(host.echo)]',
    [undefined, [3]],
  ),
  run('host function on a proxy', 'return', 'return host.echo.call(new Proxy({}, { get() { for (;;); } }), [1])', [1]),
  run('host function behind a proxy', 'return', 'return new Proxy(host.echo, {})([1n])', [1n]),
  run(
    'host function as text',
    'return',
    'return Function.prototype.toString.call(host.echo).replace(/\\s+/g, " ")',
    'function echo() { [native code] }',
  ),
  run('host function without prototype', 'throw', 'return Object.setPrototypeOf(host.echo, null)', 'object is not extensible'),
  run('host deleted', 'throw', 'delete globalThis.host', 'could not delete property'),
  run(
    'answers belong to the guest',
    'return',
    `let refusal; try { host.fail("x") } catch (e) { refusal = e }
    return [host.echo({}), host.echo([]), host.echo(new Uint8Array(1)), refusal, refusal.data].map((v) => v.constructor)
      .every((c, i) => c === [Object, Array, Uint8Array, Error, Uint8Array][i])`,
    true,
  ),
  run(
    'everything reachable belongs to the guest',
    'return',
    `const seen = new Set(); const todo = [globalThis, host, host.echo([{}, new Uint8Array(1)])];
    try { host.fail("x") } catch (e) { todo.push(e) }
    const strangers = [];
    while (todo.length > 0) {
      const o = todo.pop();
      if ((typeof o !== "object" && typeof o !== "function") || o === null || seen.has(o)) continue;
      seen.add(o);
      let end = o; while (Object.getPrototypeOf(end) !== null) end = Object.getPrototypeOf(end);
      if (end !== Object.prototype && end !== o) strangers.push(Object.prototype.toString.call(o));
      if (typeof o === "function" && !(o instanceof Function.prototype.constructor) && o !== Function.prototype) strangers.push(o.name);
      todo.push(Object.getPrototypeOf(o));
      for (const key of Reflect.ownKeys(o)) { const d = Reflect.getOwnPropertyDescriptor(o, key); todo.push(d.value, d.get, d.set) }
    }
    return [strangers, seen.size > 400]`,
    [[], true],
  ),
  run(
    'answer changed, host unmoved',
    'return',
    'const a = [1]; const b = host.echo(a); b[0] = 2; a.push(3); return [a, b, host.echo(a)]',
    [[1, 3], [2], [1, 3]],
  ),
  run(
    'host called at the end of the stack',
    'return',
    'let n = 0; const f = () => { try { f() } finally { try { host.echo([[n]]); n++ } catch {} } }; try { f() } catch {} return n > 0',
    true,
  ),
  run('host called in a job', 'return', 'return Promise.resolve([1n]).then(host.echo)', [1n]),
  run(
    'host called in every conversion',
    'return',
    'const o = { toString: () => host.echo("k"), valueOf: () => host.num(3) }; return [`${o}`, o * 2]',
    ['k', 6],
  ),
  run('host called while the module is evaluated', 'return', 'return kept', [[1]], 'const kept = host.echo([[1]])'),
]
