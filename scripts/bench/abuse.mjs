/**
 * The slowest blocks that an attacker can make: full blocks of hostile transactions through the execution worker on LevelDB, with the default gas
 * limits. Prints milliseconds per full block, µs per million gas, and the time of the synced write. The first group runs the slowest hostile scripts
 * of the interpreter's tests as contracts, once and in a loop that catches exceptions. Figures are the minimum of several blocks. Build first.
 *
 * --devnet sends full blocks of the slowest kinds to four validators. Prints the execution time that each validator reports, and the longest
 * interval between full blocks.
 *
 *   node scripts/bench/abuse.mjs [--blocks 3] [--scripts 10] [--only text] [--devnet]
 */
import { parseArgs } from 'node:util'
import { CONTRACT_HANDLERS } from '../../packages/execution/dist/contract/host/index.js'
import { ticksOf } from '../../packages/execution/dist/contract/index.js'
import { HOSTILE } from '../../packages/execution/test/hostile.mjs'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { loadContractInterpreter } from '../../packages/platform/dist/wasm.js'
import { AbuseChain, ACCOUNTS, accountOf, blockGasMax, creationOf, transactionGasMax } from './lib/abuse-chain.mjs'
import { AbuseDevnet } from './lib/abuse-devnet.mjs'
import { ABUSE_KINDS } from './lib/abuse-kinds.mjs'
import { calibrate, calibrationLine, REFERENCE_SECONDS } from './lib/calibration.mjs'

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '3' },
    scripts: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    devnet: { type: 'boolean', default: false },
  },
})
const blocks = Number(values.blocks)
/** Limit for a full block, in milliseconds. */
const BLOCK_MS_MAX = 250
/** Blocks to run before the measurement, so that V8 has compiled the code of a new thread. */
const REHEARSALS = 10
/** The kinds that `--devnet` sends to the four validators. */
const DEAREST = [
  'creation: creation with an image of 1 MiB',
  'creation: creation of a small contract',
  'transactions: transfer to new accounts',
]
/** Scripts with fewer ticks are too short for the clock. */
const SCRIPT_TICKS_MIN = 10_000_000

const crypto = await loadCrypto()

/** Two ways to call `run`: once, and in an endless loop. */
const FORMS = [
  ['', '() => { run() }'],
  [', in a loop', '() => { for (;;) try { run() } catch {} }'],
]

/** Hostile scripts as contracts, slowest first. Leaves out scripts that need the tests' own host functions. */
async function dearestScripts(count) {
  const interpreter = await loadContractInterpreter()
  const found = []
  for (const { name, source, ends } of HOSTILE) {
    if (ends === 'compile' || /\bhost\b/.test(source) || !source.includes('export function run(')) continue
    for (const [form, entry] of FORMS) {
      const text = `${source.replace('export function run(', 'function run(')}\nexport default { functions: { run: ${entry} } }`
      const compiled = interpreter.compile({ source: text, gas: 60_000_000 })
      if (!compiled.ok) continue
      const request = { image: compiled.value.image, entry: 'functions.run', values: [], handlers: CONTRACT_HANDLERS }
      let perMillion = Number.POSITIVE_INFINITY
      let gasUsed = 0
      for (let round = 0; round < 2; round++) {
        const started = performance.now()
        const outcome = interpreter.call({ ...request, gas: ticksOf(transactionGasMax) })
        if (outcome.kind === 'fault') break
        gasUsed = outcome.gasUsed
        perMillion = Math.min(perMillion, (1e9 * (performance.now() - started)) / gasUsed)
      }
      if (gasUsed >= SCRIPT_TICKS_MIN) found.push({ name: `${name}${form}`, text, perMillion })
    }
  }
  return found.toSorted((a, b) => b.perMillion - a.perMillion).slice(0, count)
}

const RUN = [{ type: 'function', name: 'run', inputs: [], outputs: [], stateMutability: 'nonpayable' }]
/** The first four bytes of the keccak256 hash of `run()`. */
const RUN_SELECTOR = crypto.keccak256(new TextEncoder().encode('run()')).slice(0, 4)
const scriptKind = ({ name, text }) => ({
  name,
  prepare: async (chain) => {
    const [to] = await chain.deployAll([creationOf(text, RUN)])
    return () => ({ to, data: RUN_SELECTOR })
  },
})

/** Measures full blocks of one kind. Two transactions are run first to find their gas. */
async function measure(chain, { prepare, cold }) {
  const transaction = await prepare(chain)
  let n = 0
  const next = (gas) => {
    const made = { from: accountOf(n % ACCOUNTS), gas, ...transaction(n) }
    n++
    return made
  }
  // The first one may also pay for the first use of a code in the block.
  const probe = await chain.block([next(transactionGasMax), next(transactionGasMax)])
  const gas = Math.min(transactionGasMax, Math.ceil((probe.gasUsed - probe.gasLeast) * 1.05))
  const many = Math.floor(blockGasMax / probe.gasLeast) + 3
  const some = (count) => Array.from({ length: count }, () => next(gas))
  if (!cold) await chain.block(some(many))
  const found = []
  for (let i = 0; i < blocks; i++) {
    if (cold) {
      await chain.reopen()
      for (let k = 0; k < REHEARSALS; k++) await chain.rehearse(some(Math.ceil(many / REHEARSALS)))
    }
    found.push(await chain.block(some(many)))
  }
  const least = (name) => Math.min(...found.map((block) => block[name]))
  const { gasUsed, bytes, count, failures } = found[0]
  const ms = least('ms')
  return { ms, perMillion: (1e9 * ms) / gasUsed, gasUsed, bytes, count, failed: failures.length, writeMs: least('writeMs') }
}

const row = (name, ...columns) => console.log(name.padEnd(58) + columns.map((text) => String(text).padStart(11)).join(''))

const calibration = calibrate()
const { seconds } = calibration
console.log(calibrationLine(calibration))
console.log('ms and µs are those of this machine; "scaled" is ms per block on the reference machine')

async function isolated() {
  const groups = { scripts: (await dearestScripts(Number(values.scripts))).map(scriptKind), ...ABUSE_KINDS }
  const chain = await AbuseChain.create(crypto)
  const slow = []
  try {
    for (const [group, kinds] of Object.entries(groups)) {
      const wanted = kinds.filter(({ name }) => `${group}: ${name}`.includes(values.only))
      if (wanted.length === 0) continue
      console.log()
      row(group, 'ms, block', 'scaled', 'µs/Mgas', 'tx', 'failed', 'Mgas', 'write, ms', 'KiB')
      for (const kind of wanted) {
        const { ms, perMillion, count, failed, gasUsed, writeMs, bytes } = await measure(chain, kind)
        const scaled = (ms * REFERENCE_SECONDS) / seconds
        const tail = [count, failed, (gasUsed / 1e6).toFixed(1), writeMs.toFixed(0), Math.round(bytes / 1024)]
        row(`  ${kind.name}`, Math.round(ms), Math.round(scaled), Math.round(perMillion), ...tail)
        if (scaled > BLOCK_MS_MAX) slow.push(`${group}: ${kind.name}: ${Math.round(scaled)} ms`)
      }
    }
  } finally {
    await chain.close()
  }
  const verdict =
    slow.length === 0 ? `all below ${BLOCK_MS_MAX} ms per block.` : `above ${BLOCK_MS_MAX} ms per block:\n${slow.join('\n')}`
  console.log(`\nScaled, ${verdict}`)
}

async function fourValidators() {
  const wanted = Object.entries(ABUSE_KINDS).flatMap(([group, kinds]) =>
    kinds
      .map((kind) => ({ ...kind, name: `${group}: ${kind.name}` }))
      .filter(({ name }) => DEAREST.includes(name) && name.includes(values.only)),
  )
  const devnet = await AbuseDevnet.start(crypto)
  try {
    console.log()
    row('four validators', 'ms, median', 'ms, most', 'full', 'Mgas, most', 'tx', 'interval')
    for (const kind of wanted) {
      const { times, full, gasMost, count, intervalMs } = await devnet.measure(kind)
      const all = times.flat().toSorted((a, b) => a - b)
      row(
        `  ${kind.name}`,
        Math.round(all[all.length >> 1]),
        Math.round(all.at(-1)),
        full,
        (gasMost / 1e6).toFixed(1),
        count,
        `${Math.round(intervalMs)} ms`,
      )
    }
  } finally {
    await devnet.close()
  }
}

await (values.devnet ? fourValidators() : isolated())
