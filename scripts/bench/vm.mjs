/**
 * The contract interpreter: cost of metering, calls per second with an image restored for each, memory, image size, and the time for a million gas of
 * each hostile script. Figures are CPU time of one thread, the best of several rounds, so that other load has little effect. Uses
 * dist: build first. Usage: node scripts/bench/vm.mjs [--rounds 7] [--calls 20000]
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { restoreImage } from '../../packages/execution/dist/vm/image.js'
import {
  createInterpreter,
  HostRefusal,
  INTERPRETER_BINARY,
  imageBytes,
  METER_EXPORTS,
  VM_LIMITS,
} from '../../packages/execution/dist/vm/index.js'
import { Instance } from '../../packages/execution/dist/vm/instance.js'
import { LAYOUT } from '../../packages/execution/dist/vm/quickjs.js'
import { HOSTILE } from '../../packages/execution/test/hostile.mjs'
import { HOSTILE_HOST, hostileHandlers } from '../../packages/execution/test/hostile-host.mjs'
import { loadInterpreterBinary, nodeWasm } from '../../packages/platform/dist/wasm.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, calls: { type: 'string', default: '20000' } },
})
const rounds = Number(values.rounds)
const calls = Number(values.calls)
const GAS = 10_000_000_000
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

const resolve = createRequire(new URL('../../packages/execution/package.json', import.meta.url)).resolve
const plain = await readFile(resolve(INTERPRETER_BINARY.source))
const metered = await loadInterpreterBinary()

const MEMORY_BYTES = VM_LIMITS.memoryPages * 65_536

/** Address where the interpreter stores the end of its heap. It replaces the watch, which the unmetered binary does not have. */
const BREAK_AT = 86_864
const STACK_USED = 64 * 1024

/** The unmetered binary has no counters. These replacements never change, which is enough as long as nothing traps. */
const unmeteredWasm = {
  ...nodeWasm,
  instantiate: (module, imports) => {
    const words = new Uint32Array(imports.a.a.buffer)
    const low = LAYOUT.heapBase - STACK_USED
    const fixed = (read) => ({
      get value() {
        return read()
      },
      set value(_) {},
    })
    return {
      ...nodeWasm.instantiate(module, imports),
      [METER_EXPORTS.gas]: { value: 2n ** 50n },
      [METER_EXPORTS.depth]: fixed(() => 0),
      [METER_EXPORTS.pages]: fixed(() => VM_LIMITS.memoryPages),
      [METER_EXPORTS.low]: fixed(() => low),
      [METER_EXPORTS.span]: fixed(() => words[BREAK_AT / 4] - low - 8),
      [METER_EXPORTS.stackPointer]: { value: LAYOUT.heapBase },
    }
  },
}

/** CPU time of the process in microseconds. */
function cpu(action) {
  const before = process.cpuUsage()
  action()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const row = (name, ...columns) => console.log(name.padEnd(44) + columns.map((text) => String(text).padStart(14)).join(''))
const fixed = (value, digits = 2) => value.toFixed(digits)

function compile(interpreter, source, handlers = {}) {
  const compiled = interpreter.compile({ source, gas: GAS, handlers })
  if (!compiled.ok) throw new Error(`${compiled.error.kind} ${compiled.error.message ?? ''}`)
  return compiled.value
}

function call(interpreter, image, entry, args = [], handlers = {}) {
  const outcome = interpreter.call({ image, entry, values: args, handlers, gas: GAS })
  if (outcome.kind !== 'return') throw new Error(`${entry}: ${outcome.kind} ${outcome.error?.message ?? ''}`)
  return outcome
}

const WORK = `
  export function arithmetic() { let x = 1; for (let i = 0; i < 150000; i++) x = (x * 31 + i) % 65521; return x }
  export function bigint() { let x = 3n; const p = 2n ** 255n - 19n; for (let i = 0; i < 12000; i++) x = (x * x + 7n) % p; return x }
  export function json() { const o = Array.from({ length: 150 }, (_, i) => ({ i, name: 'n' + i, tags: ['a', 'b'] })); let n = 0; for (let i = 0; i < 15; i++) n += JSON.stringify(JSON.parse(JSON.stringify(o))).length; return n }
  export function map() { const m = new Map(); for (let i = 0; i < 25000; i++) m.set('k' + (i % 500), i); return m.size }
  export function regex() { let n = 0; for (let i = 0; i < 4000; i++) n += 'the quick brown fox 1234 jumps 5678'.replace(/(\\w+)\\s(\\d+)/g, '$2 $1').length; return n }
  export function sort() { const a = Array.from({ length: 8000 }, (_, i) => (i * 7919) % 8009); a.sort((x, y) => x - y); return a[0] }
`

function slowdown() {
  console.log()
  row('metering', 'unmetered ms', 'metered ms', 'ratio', 'gas', 'us/Mgas')
  const interpreters = [
    [unmeteredWasm, plain],
    [nodeWasm, metered],
  ].map(([wasm, binary]) => createInterpreter({ wasm, binary, host: [] }))
  const images = interpreters.map((interpreter) => compile(interpreter, WORK).image)
  for (const entry of ['arithmetic', 'bigint', 'json', 'map', 'regex', 'sort']) {
    const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    // The first calls run code of V8's baseline compiler: warm up.
    for (let i = 0; i < 5; i++) for (const [j, interpreter] of interpreters.entries()) call(interpreter, images[j], entry)
    for (let round = 0; round < rounds; round++) {
      interpreters.forEach((interpreter, i) => {
        best[i] = Math.min(
          best[i],
          cpu(() => call(interpreter, images[i], entry)),
        )
      })
    }
    const { gasUsed } = call(interpreters[1], images[1], entry)
    const ms = best.map((us) => fixed(us / 1000))
    row(`  ${entry}`, ...ms, fixed(best[1] / best[0]), gasUsed, fixed((best[1] / gasUsed) * 1e6, 0))
  }
}

const TOKEN = `
  const key = (owner) => 'balance:' + owner
  export function empty() {}
  export function transfer(from, to, amount) {
    const have = host.get(key(from)) ?? 0n
    if (have < amount) throw new Error('InsufficientBalance')
    host.put(key(from), have - amount)
    host.put(key(to), (host.get(key(to)) ?? 0n) + amount)
    host.emit('Transfer', from, to, amount)
    return true
  }
  export function relay(from, to, amount) { return host.run(from, to, amount) }
`
const TOKEN_HOST = [
  { name: 'get', gas: 100, parameters: ['string'] },
  { name: 'put', gas: 200, parameters: ['string', 'bigint'] },
  { name: 'emit', gas: 300, parameters: ['string', 'string', 'string', 'bigint'] },
  { name: 'run', gas: 1000, parameters: ['string', 'string', 'bigint'] },
]

function transfers() {
  const started = performance.now()
  const interpreter = createInterpreter({ wasm: nodeWasm, binary: metered, host: TOKEN_HOST })
  const boot = performance.now() - started
  const { image, gasUsed } = compile(interpreter, TOKEN)
  const [from, to] = [`0x${'12'.repeat(20)}`, `0x${'34'.repeat(20)}`]
  const store = new Map([[`balance:${from}`, 10n ** 30n]])
  const handlers = {
    get: (_, key) => store.get(key),
    put: (_, key, amount) => void store.set(key, amount),
    emit: () => undefined,
    run: (context, ...args) =>
      context.call({ image, entry: 'transfer', values: args, handlers, gas: context.gasLeft }).kind === 'return',
  }
  console.log()
  row('calls, image restored for each', 'us', 'a second', 'gas')
  for (const { name, entry, args } of [
    { name: 'empty call', entry: 'empty', args: [] },
    { name: 'token transfer', entry: 'transfer', args: [from, to, 5n] },
    { name: 'contract that calls the token', entry: 'relay', args: [from, to, 5n] },
  ]) {
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) {
      const us = cpu(() => {
        for (let i = 0; i < calls; i++) call(interpreter, image, entry, args, handlers)
      })
      best = Math.min(best, us / calls)
    }
    row(`  ${name}`, fixed(best), Math.round(1e6 / best), call(interpreter, image, entry, args, handlers).gasUsed)
  }
  console.log()
  row('interpreter: compile and boot, ms', fixed(boot, 1))
  row('image of the token: bytes, of these heap, patch', imageBytes(image), image.heap.length, image.patch.byteLength)
  row('deployment of the token, gas', gasUsed)
}

/** Resident memory of an instance with a loaded image, and the time to make one. */
function instances() {
  const count = 60
  const module = nodeWasm.compile(metered)
  const interpreter = createInterpreter({ wasm: nodeWasm, binary: metered, host: TOKEN_HOST })
  const { image } = compile(interpreter, TOKEN)
  const kept = []
  const make = () => {
    const instance = new Instance(nodeWasm, module)
    restoreImage(instance, image, MEMORY_BYTES)
    kept.push(instance)
  }
  for (let i = 0; i < 10; i++) make()
  collectGarbage()
  const before = process.memoryUsage().rss
  const us = cpu(() => {
    for (let i = 0; i < count; i++) make()
  })
  collectGarbage()
  row(
    'instance: resident kB, ms to make',
    Math.round((process.memoryUsage().rss - before) / count / 1024),
    fixed(us / count / 1000),
  )
}

function abuse() {
  const handlers = hostileHandlers(HostRefusal)
  const interpreter = createInterpreter({ wasm: nodeWasm, binary: metered, host: HOSTILE_HOST })
  const gas = 50_000_000
  const found = HOSTILE.filter(({ ends }) => ends !== 'compile').map(({ name, source }) => {
    const { image } = compile(interpreter, source, handlers)
    let best = Number.POSITIVE_INFINITY
    let gasUsed = 0
    for (let round = 0; round < 3; round++) {
      best = Math.min(
        best,
        cpu(() => {
          const outcome = interpreter.call({ image, entry: 'run', values: [], handlers, gas })
          gasUsed = outcome.gasUsed ?? 0
        }),
      )
    }
    return { name, gasUsed, perMillion: (best / gasUsed) * 1e6 }
  })
  console.log()
  row('hostile scripts, slowest first', 'us/Mgas', 'gas')
  const long = found.filter(({ gasUsed }) => gasUsed > 1_000_000).toSorted((a, b) => b.perMillion - a.perMillion)
  for (const { name, gasUsed, perMillion } of long.slice(0, 12)) row(`  ${name}`, fixed(perMillion, 0), gasUsed)
  row(`  median of ${long.length}`, fixed(long[long.length >> 1].perMillion, 0))
}

// First, because later measurements allocate and free other memory.
instances()
slowdown()
transfers()
abuse()
