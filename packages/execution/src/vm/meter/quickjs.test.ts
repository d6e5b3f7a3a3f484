import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { interpreterBinary, plainBinary, wasmPower } from '../../../test/interpreter.ts'
import { meterNaively } from '../../../test/naive-meter.ts'
import { INTERPRETER_BINARY, patchInterpreter } from '../binary.ts'
import { createInterpreter } from '../interpreter.ts'
import { LAYOUT } from '../quickjs.ts'
import type { Interpreter } from '../request.ts'
import type { GuestValue } from '../value.ts'
import { VM_GAS } from '../vm-gas.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Indices of the meter's globals, after the binary's single own one. */
const GLOBALS = { gas: 1, low: 3, span: 4, pages: 5 }

/** Code that uses all parts of the interpreter. */
const PROGRAMS = {
  arithmetic: 'let x = 1; for (let i = 0; i < 2000; i++) x = (x * 31 + i) % 65521; return x',
  bigint: 'let x = 3n; for (let i = 0; i < 60; i++) x = x * x % (2n ** 255n - 19n) + 2n ** 200n / 7n; return String(x)',
  float: 'let x = 0; for (let i = 1; i < 200; i++) x += Math.sin(i) / Math.sqrt(i) + i ** 0.3; return x',
  text: 'let s = ""; for (let i = 0; i < 200; i++) s += i.toString(36); return s.replace(/(\\d+)/g, (d) => `<${d}>`).slice(0, 90)',
  json: 'const o = []; for (let i = 0; i < 50; i++) o.push({ i, s: "x".repeat(i), a: [i, null, 1.5] }); return JSON.stringify(JSON.parse(JSON.stringify(o))).length',
  collections:
    'const m = new Map(); for (let i = 0; i < 300; i++) m.set("k" + (i % 50), i); return [...m].sort((a, b) => b[1] - a[1]).join().slice(0, 50)',
  classes:
    'class A { #x = 1; get x() { return this.#x } static *g() { yield* [1, 2, 3] } } let s = 0; for (const v of A.g()) s += new A().x * v; return s',
  exceptions:
    'let n = 0; for (let i = 0; i < 50; i++) try { null.x } catch (e) { n += e.message.length } finally { n++ } return n',
  recursion: 'const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); return fib(12)',
  overflow: 'const f = () => f() + 1; try { f() } catch (e) { return e.message }',
  bytes: 'const a = new Uint8Array(5000).fill(3); a.copyWithin(100, 0, 3000); a.sort(); return a.slice(7, 60)',
  labels:
    'let n = 0; outer: for (let i = 0; i < 20; i++) { for (let j = 0; j < 20; j++) { switch ((i * j) % 5) { case 0: continue outer; case 3: break; default: n++ } } } return n',
} as const

function runAll(interpreter: Interpreter): readonly (readonly [string, GuestValue, number])[] {
  return Object.entries(PROGRAMS).map(([name, body]) => {
    const compiled = interpreter.compile({ source: `export function run() { ${body} }`, gas: 100_000_000 })
    if (!compiled.ok) throw new Error(`${name}: ${compiled.error.kind}`)
    const outcome = interpreter.call({ image: compiled.value.image, entry: 'run', values: [], handlers: {}, gas: 1_000_000_000 })
    if (outcome.kind !== 'return') throw new Error(`${name}: ${outcome.kind}`)
    return [name, outcome.value, outcome.gasUsed + compiled.value.gasUsed] as const
  })
}

describe('the interpreter, metered', () => {
  it('is the pinned one', () => {
    expect(sha256(plainBinary())).toBe(INTERPRETER_BINARY.sourceSha256)
    expect(sha256(interpreterBinary())).toBe(INTERPRETER_BINARY.meteredSha256)
  })

  it('pays and computes the same as a meter that counts every single instruction', () => {
    const naive = meterNaively(patchInterpreter(plainBinary()), interpreterBinary(), GLOBALS, { ...LAYOUT, pageGas: VM_GAS.page })
    const [fast, slow] = [interpreterBinary(), naive].map((binary) =>
      runAll(createInterpreter({ wasm: wasmPower(), binary, host: [] })),
    )
    expect(fast).toEqual(slow)
  })
})
