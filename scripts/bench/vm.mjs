/**
 * The contract engine: what metering costs, calls a second with an image restored for each, memory, image size, and how long a million gas
 * of each hostile script takes. CPU time of one thread, the best of several rounds, so that a busy machine disturbs little. Runs over
 * dist: build first. Usage: node scripts/bench/vm.mjs [--rounds 7] [--calls 20000]
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { createEngine, ENGINE_BINARY, imageBytes, METER_EXPORTS, VM_LIMITS } from '../../packages/execution/dist/vm/index.js'
import { HOSTILE } from '../../packages/execution/test/hostile.mjs'
import { loadEngineBinary, nodeWasm } from '../../packages/node/dist/executor/wasm.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, calls: { type: 'string', default: '20000' } },
})
const rounds = Number(values.rounds)
const calls = Number(values.calls)
const GAS = 10_000_000_000

const resolve = createRequire(new URL('../../packages/execution/package.json', import.meta.url)).resolve
const plain = await readFile(resolve(ENGINE_BINARY.source))
const metered = await loadEngineBinary()

/** The binary without a meter has no counters: these stand still, which suffices while nothing traps. */
const unmeteredWasm = {
  ...nodeWasm,
  instantiate: (module, imports) => ({
    ...nodeWasm.instantiate(module, imports),
    [METER_EXPORTS.gas]: { value: 0n },
    [METER_EXPORTS.depth]: { value: 0 },
    [METER_EXPORTS.pages]: { value: 0 },
    [METER_EXPORTS.stackLow]: { value: 0 },
    [METER_EXPORTS.stackPointer]: { value: 5_333_088 },
  }),
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

function compile(engine, source) {
  const compiled = engine.compile({ source, gas: GAS })
  if (!compiled.ok) throw new Error(`${compiled.error.kind} ${compiled.error.message ?? ''}`)
  return compiled.value
}

function call(engine, image, entry, args = [], handlers = {}) {
  const outcome = engine.call({ image, entry, values: args, handlers, gas: GAS })
  if (outcome.kind !== 'return') throw new Error(`${entry}: ${outcome.kind} ${outcome.error?.message ?? ''}`)
  return outcome
}

const WORK = `
  export function arithmetic() { let x = 1; for (let i = 0; i < 150000; i++) x = (x * 31 + i) % 65521; return x }
  export function bigint() { let x = 3n; const p = 2n ** 255n - 19n; for (let i = 0; i < 12000; i++) x = (x * x + 7n) % p; return x }
  export function json() { const o = Array.from({ length: 150 }, (_, i) => ({ i, name: 'n' + i, tags: ['a', 'b'] })); let n = 0; for (let i = 0; i < 15; i++) n += JSON.stringify(JSON.parse(JSON.stringify(o))).length; return n }
  export function map() { const m = new Map(); for (let i = 0; i < 25000; i++) m.set('k' + (i % 500), i); return m.size }
  export function regex() { let n = 0; for (let i = 0; i < 600; i++) n += 'the quick brown fox 1234 jumps 5678'.replace(/(\\w+)\\s(\\d+)/g, '$2 $1').length; return n }
  export function sort() { const a = Array.from({ length: 8000 }, (_, i) => (i * 7919) % 8009); a.sort((x, y) => x - y); return a[0] }
`

function slowdown() {
  row('metering', 'unmetered ms', 'metered ms', 'ratio', 'gas', 'us/Mgas')
  const engines = [
    [unmeteredWasm, plain],
    [nodeWasm, metered],
  ].map(([wasm, binary]) => createEngine({ wasm, binary, host: [] }))
  const images = engines.map((engine) => compile(engine, WORK).image)
  for (const entry of ['arithmetic', 'bigint', 'json', 'map', 'regex', 'sort']) {
    const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let round = 0; round < rounds; round++) {
      engines.forEach((engine, i) => {
        best[i] = Math.min(
          best[i],
          cpu(() => call(engine, images[i], entry)),
        )
      })
    }
    const { gasUsed } = call(engines[1], images[1], entry)
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
  const engine = createEngine({ wasm: nodeWasm, binary: metered, host: TOKEN_HOST })
  const boot = performance.now() - started
  const { image, gasUsed } = compile(engine, TOKEN)
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
  for (const [name, entry, args] of [
    ['empty call', 'empty', []],
    ['token transfer', 'transfer', [from, to, 5n]],
    ['contract that calls the token', 'relay', [from, to, 5n]],
  ]) {
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) {
      const us = cpu(() => {
        for (let i = 0; i < calls; i++) call(engine, image, entry, args, handlers)
      })
      best = Math.min(best, us / calls)
    }
    row(`  ${name}`, fixed(best), Math.round(1e6 / best), call(engine, image, entry, args, handlers).gasUsed)
  }
  console.log()
  row('engine: compile and boot, ms', fixed(boot, 1))
  row('image of the token, bytes (data + heap)', imageBytes(image), image.data.length, image.heap.length)
  row('deployment of the token, gas', gasUsed)
}

/** Resident memory of instances that have each run a call, and the time to make one. */
function instances() {
  const count = VM_LIMITS.instancesIdleMax - 2
  const engine = createEngine({ wasm: nodeWasm, binary: metered, host: [{ name: 'nest', gas: 0, parameters: ['number'] }] })
  const { image } = compile(engine, 'export const nest = (n) => (n === 0 ? 0 : 1 + host.nest(n - 1))')
  const handlers = {
    nest: (context, n) => context.call({ image, entry: 'nest', values: [n], handlers, gas: context.gasLeft }).value,
  }
  call(engine, image, 'nest', [0], handlers)
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  const us = cpu(() => call(engine, image, 'nest', [count], handlers))
  row('instance: resident kB (of some)', Math.round((process.memoryUsage().rss - before) / count / 1024), count)
  row('instance: make and first call, ms', fixed(us / count / 1000))
}

function abuse() {
  const host = [
    { name: 'get', gas: 500, parameters: ['string'] },
    { name: 'put', gas: 500, parameters: ['string', 'bytes'] },
  ]
  const handlers = { get: () => undefined, put: () => undefined }
  const engine = createEngine({ wasm: nodeWasm, binary: metered, host })
  const gas = 50_000_000
  const found = HOSTILE.filter(({ ends }) => ends !== 'compile').map(({ name, source }) => {
    const { image } = compile(engine, source)
    let best = Number.POSITIVE_INFINITY
    let gasUsed = 0
    for (let round = 0; round < 3; round++) {
      best = Math.min(
        best,
        cpu(() => {
          const outcome = engine.call({ image, entry: 'run', values: [], handlers, gas })
          gasUsed = outcome.gasUsed ?? 0
        }),
      )
    }
    return { name, gasUsed, perMillion: (best / gasUsed) * 1e6 }
  })
  console.log()
  row('hostile scripts, dearest first', 'us/Mgas', 'gas')
  const long = found.filter(({ gasUsed }) => gasUsed > 1_000_000).toSorted((a, b) => b.perMillion - a.perMillion)
  for (const { name, gasUsed, perMillion } of long.slice(0, 12)) row(`  ${name}`, fixed(perMillion, 0), gasUsed)
  row(`  median of ${long.length}`, fixed(long[long.length >> 1].perMillion, 0))
}

slowdown()
transfers()
instances()
abuse()
