import { createContext, Script } from 'node:vm'
import variant from '@jitl/quickjs-wasmfile-release-sync'
import { newQuickJSWASMModuleFromVariant, type QuickJSSyncVariant } from 'quickjs-emscripten-core'
import { createInterpreter } from '../../src/vm/interpreter.ts'
import { VM_LIMITS } from '../../src/vm/limits.ts'
import { interpreterBinary, wasmPower } from '../interpreter.ts'

/** Expressions evaluated by the interpreter, by V8 and by stock QuickJS; each result is a line of text. */

/**
 * Formats a value so that different values look different, with the simplest language features: bits of numbers, units of
 * strings, order of keys. A thrown value is shown by its name.
 */
const SHOW = `
const word = new DataView(new ArrayBuffer(8))
const bitsOf = (x) => { word.setFloat64(0, x); return word.getUint32(0).toString(16) + '.' + word.getUint32(4).toString(16) }
const unitsOf = (s) => {
  let out = ''
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i)
    out += c >= 32 && c < 127 && c !== 92 ? s[i] : '\\\\u' + (c + 65536).toString(16).slice(1)
  }
  return out
}
const listOf = (list) => { let out = ''; for (let i = 0; i < list.length; i++) out += (i > 0 ? ', ' : '') + (i in list ? show(list[i]) : 'hole'); return out }
const show = (x) => {
  switch (typeof x) {
    case 'number': return x !== x ? 'NaN' : x === (x | 0) && (x !== 0 || 1 / x > 0) ? x.toString() : 'f' + bitsOf(x)
    case 'bigint': return x < 0n ? '-0x' + (-x).toString(16) + 'n' : '0x' + x.toString(16) + 'n'
    case 'string': return '"' + unitsOf(x) + '"'
    case 'symbol': return 'symbol'
    case 'function': return 'function'
    case 'object': return x === null ? 'null' : showObject(x)
    default: return x === undefined ? 'undefined' : x ? 'true' : 'false'
  }
}
const showObject = (x) => {
  if (Array.isArray(x)) return '[' + listOf(x) + ']' + (x.groups === undefined ? '' : showObject(x.groups)) + (x.index === undefined ? '' : '@' + x.index) + (x.indices === undefined ? '' : showObject(x.indices))
  if (ArrayBuffer.isView(x)) return x.constructor.name + '(' + listOf(x) + ')'
  if (x instanceof Map) return 'Map(' + listOf([...x]) + ')'
  if (x instanceof Set) return 'Set(' + listOf([...x]) + ')'
  if (x instanceof Error) return x.name
  const value = Object.prototype.valueOf === x.valueOf || x.valueOf === undefined ? x : x.valueOf()
  if (typeof value !== 'object') return 'Object(' + show(value) + ')'
  if (typeof x.next === 'function') return 'iterator(' + listOf([...x]) + ')'
  let out = ''
  for (const key of Object.keys(x)) out += (out === '' ? '' : ', ') + unitsOf(key) + ': ' + show(x[key])
  return '{' + out + '}'
}
const attempt = (f) => { try { return f() } catch (e) { return e.name } }
const run = (f) => { try { return show(f()) } catch (e) { return 'throws ' + (e instanceof Error ? e.name : show(e)) } }
`

/** A script that defines `answers`, which evaluates all expressions. */
const sourceOf = (expressions: readonly string[]): string =>
  `${SHOW}const all = [${expressions.map((one) => `() => (${one})`).join(',\n')}]\nconst answers = () => all.map(run).join('\\n')`

/** A strict script whose value is the answers. */
const strictScript = (expressions: readonly string[]): string =>
  `(() => { 'use strict'; ${sourceOf(expressions)}; return answers() })()`

/** Evaluates such a script; undefined if the script does not parse or does not finish. */
type Evaluate = (expressions: readonly string[]) => string | undefined

const GAS = 20_000_000_000

let interpreter: ReturnType<typeof createInterpreter> | undefined

/** Strict module code after the prelude, as in contracts. */
const inInterpreter: Evaluate = (expressions) => {
  interpreter ??= createInterpreter({ wasm: wasmPower(), binary: interpreterBinary(), host: [] })
  const compiled = interpreter.compile({ source: `${sourceOf(expressions)}\nexport { answers }`, gas: GAS })
  if (!compiled.ok) return undefined
  const outcome = interpreter.call({ image: compiled.value.image, entry: 'answers', values: [], handlers: {}, gas: GAS })
  return outcome.kind === 'return' ? (outcome.value as string) : undefined
}

const realm = createContext()

/** Strict code in a new realm. */
const inV8: Evaluate = (expressions) => {
  let script: Script
  try {
    script = new Script(strictScript(expressions))
  } catch {
    return undefined
  }
  return String(script.runInContext(realm))
}

// The package declares the types of its CommonJS form for both; the module's default export is the variant itself.
const quickjs = await newQuickJSWASMModuleFromVariant(variant as unknown as QuickJSSyncVariant)

/** As V8 runs it, in a new runtime of the binary that we meter, as upstream ships it: without patches, meter and prelude. */
const inStock: Evaluate = (expressions) => {
  const runtime = quickjs.newRuntime()
  runtime.setMaxStackSize(VM_LIMITS.guestStackBytesMax)
  const context = runtime.newContext()
  try {
    const result = context.evalCode(strictScript(expressions))
    try {
      return result.error ? undefined : context.getString(result.value)
    } finally {
      result.dispose()
    }
  } finally {
    context.dispose()
    runtime.dispose()
  }
}

/** The result line of each expression. If one spoils its batch, it is found by bisection. */
function linesOf(evaluate: Evaluate, expressions: readonly string[]): readonly string[] {
  const answers = evaluate(expressions)
  if (answers !== undefined) return answers.split('\n')
  if (expressions.length === 1) return ['no answer']
  const half = expressions.length >> 1
  return [...linesOf(evaluate, expressions.slice(0, half)), ...linesOf(evaluate, expressions.slice(half))]
}

export const byInterpreter = (expressions: readonly string[]): readonly string[] => linesOf(inInterpreter, expressions)
export const byV8 = (expressions: readonly string[]): readonly string[] => linesOf(inV8, expressions)
export const byStock = (expressions: readonly string[]): readonly string[] => linesOf(inStock, expressions)

/** The number that a line shows; undefined if it shows something else. */
export function numberShown(line: string): number | undefined {
  if (/^-?\d+$/.test(line)) return Number(line)
  const [, high, low] = /^f([0-9a-f]+)\.([0-9a-f]+)$/.exec(line) ?? []
  if (high === undefined || low === undefined) return undefined
  const word = new DataView(new ArrayBuffer(8))
  word.setUint32(0, Number.parseInt(high, 16))
  word.setUint32(4, Number.parseInt(low, 16))
  return word.getFloat64(0)
}
