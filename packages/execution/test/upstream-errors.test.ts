import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { HostRefusal } from '../src/vm/host-function.ts'
import { INTERPRETER_BINARY } from '../src/vm/index.ts'
import { createInterpreter } from '../src/vm/interpreter.ts'
import { attack, HOSTILE_GAS_LIMIT, HOSTILE_HOST, hostileHandlers } from './hostile-host.mjs'
import { interpreterBinary, wasmPower } from './interpreter.ts'

/*
 * Upstream errors of the interpreter that a contract can reach, by their number in docs/interpreter-security.md, which describes
 * each. Where memory is corrupted, the interpreter decides how the call ends. It must end with a result, the same in every
 * interpreter, and affect nothing else.
 */

const handlers = hostileHandlers(HostRefusal)
const freshInterpreter = () => createInterpreter({ wasm: wasmPower(), binary: interpreterBinary(), host: HOSTILE_HOST })
const page = readFileSync(fileURLToPath(new URL('../../../docs/interpreter-security.md', import.meta.url)), 'utf8')

/** Creates cycles until the garbage collector has run. */
const COLLECT = 'for (let i = 0; i < 3000; i++) { const o = {}; o.o = o }'
/** An object that claims a length for which 8 bytes per member are 2³² + 8 bytes. */
const LONG = (get: string) =>
  `new Proxy({}, { get(t, k) { if (k === 'length') return 0x20000001; n++; ${get}; return 'key' + k } })`

const CORRUPTING: Readonly<Record<string, string>> = {
  '#471': `
    const list = new Proxy(new Array(64).fill(1), { get(t, k) { if (k === '10') { ${COLLECT} } return t[k] } })
    for (let i = 0; i < 20; i++) { new Uint8Array(768).fill(0x41); Array.prototype.toReversed.call(list) }
    return 1`,
  '#478': `
    const buffer = new ArrayBuffer(4096)
    const target = new Proxy(Uint8Array, { get(t, k) { if (k === 'prototype') buffer.transfer(0); return t[k] } })
    const memory = Reflect.construct(Uint8Array, [buffer, 0, 4096], target)
    for (let i = 0; i < 4096; i++) memory[i] = 0x41
    return memory.length`,
  '#492': `
    const buffer = new ArrayBuffer(4096, { maxByteLength: 4096 })
    const array = new Int32Array(buffer)
    return array.with(0, { valueOf() { buffer.resize(16); return 7 } }).length`,
  '#535': `
    let n = 0
    try { Reflect.ownKeys(new Proxy({}, { ownKeys: () => ${LONG('if (n > 200) throw new Error()')} })) } catch {}
    return n`,
  '#535 without an end': `
    let n = 0
    return Reflect.ownKeys(new Proxy({}, { ownKeys: () => ${LONG('')} })).length`,
  'ng #1355': `
    let it, hits = 0, inside = false
    Object.defineProperty(Object.prototype, 'then', { configurable: true, get() {
      if (inside || it === undefined) return undefined
      inside = true
      if (hits === 0) it.return(0); else if (hits === 1) { it.next(1); it.return(1) }
      hits++
      inside = false
      return undefined
    } })
    let go
    const gate = new Promise((resolve) => { go = resolve })
    it = (async function* () { await gate; yield 1; await gate; yield 2 })()
    it.next(); it.next(); go(0)
    return (async () => { for (let i = 0; i < 20; i++) await i; return hits })()`,
}

/** Errors, here or in other versions, that corrupt nothing here. */
const HARMLESS: readonly (readonly [id: string, source: string, ends: string, says: unknown])[] = [
  [
    '#488',
    'function* g() { for (const e of yield []); } const i = g(); i.next(); return i.return(1).value',
    'compile',
    'stack underflow',
  ],
  ['#493', 'return [...[1, 2].values().map((x) => 2 * x)].join()', 'return', '2,4'],
  [
    '#504',
    "Object.defineProperty(RegExp.prototype, 'flags', { get: undefined }); return 'aXa'.replace(/a/g, 'b')",
    'return',
    'bXa',
  ],
  ['#496', 'return 0x0.toString()', 'compile', 'invalid number literal'],
  ['RegExp.escape', "return RegExp.escape('\\u{1f600}')", 'return', '\\ud83d\\ude00'],
  ['ng #1571', "const a = 'a'.repeat(50000); return RegExp.escape(a + a).length", 'return', 100_003],
  ['ng #1572', 'const o = {}; return typeof [o, o].values().find(() => false)', 'return', 'undefined'],
  [
    'ng #1368',
    'const it = Iterator.concat({ [Symbol.iterator]() { it.return(); return [].values() } }); return it.next().done',
    'throw',
    'already running',
  ],
  ['ng #1354', "new RegExp('[]', 'v'); return 1", 'return', 1],
  [
    'ng #1562',
    `const all = []; for (let i = 0; i < 30; i++) { const a = [0]; a.length = 245; a.push(2); all.push(a) } ${COLLECT} return all.length`,
    'return',
    30,
  ],
  [
    'ng #1430',
    `const all = []; for (let n = 2; n < 40; n++) { const a = []; for (let i = 0; i < n; i++) a.push(['a', i]); delete a[n - 1];
      for (let i = 0; i < n; i++) a.push(['b', i]); all.push(a.length === 2 * n && a[n - 1] === undefined && a[n][0] === 'b') } ${COLLECT} return all.every(Boolean)`,
    'return',
    true,
  ],
]

const scriptOf = (body: string): string => `export const run = () => { ${body} }`

describe('a contract that corrupts the memory of the interpreter', () => {
  const [one, other] = [freshInterpreter(), freshInterpreter()]
  const innocent = scriptOf(
    "return JSON.stringify([...new Map([[1, 2n ** 70n]])].map(String)) + [3, 1, 2].sort() + 'ab'.replace(/a/, 'b')",
  )
  const expected = attack(one, handlers, innocent, HOSTILE_GAS_LIMIT)

  it.each(Object.entries(CORRUPTING))('%s ends with a result, the same everywhere, and affects nothing else', (id, body) => {
    const found = attack(one, handlers, scriptOf(body), HOSTILE_GAS_LIMIT)
    expect(['return', 'throw', 'trap', 'out-of-gas']).toContain(found.ends)
    expect(found.gas).toBeGreaterThan(0)
    expect(found.gas).toBeLessThanOrEqual(2 * HOSTILE_GAS_LIMIT)
    expect(attack(one, handlers, innocent, HOSTILE_GAS_LIMIT)).toEqual(expected)
    expect(attack(other, handlers, scriptOf(body), HOSTILE_GAS_LIMIT)).toEqual(found)
    expect(attack(one, handlers, scriptOf(body), HOSTILE_GAS_LIMIT)).toEqual(found)
    expect(page).toContain(id.split(' without')[0])
  })

  it.each(HARMLESS)('is not one that meets %s', (id, body, ends, says) => {
    expect(attack(one, handlers, scriptOf(body), HOSTILE_GAS_LIMIT)).toMatchObject({
      ends,
      says: typeof says === 'string' && ends !== 'return' ? expect.stringContaining(says) : says,
    })
    expect(page).toContain(id)
  })
})

describe('docs/interpreter-security.md', () => {
  it('is about the binary that is pinned, as its package says', () => {
    const manifest = createRequire(import.meta.url).resolve(INTERPRETER_BINARY.source.replace(/wasm$/, 'package.json'))
    expect(readFileSync(manifest.replace(/package\.json$/, 'README.md'), 'utf8')).toContain(INTERPRETER_BINARY.upstream)
    for (const fact of [
      INTERPRETER_BINARY.upstream,
      INTERPRETER_BINARY.sourceSha256,
      JSON.parse(readFileSync(manifest, 'utf8')).version,
    ])
      expect(page).toContain(fact)
  })
})
