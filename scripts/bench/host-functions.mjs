/**
 * Cost of each host function of contracts, called by a contract through the interpreter: µs and ticks per call, without the loop around it, and µs
 * per million ticks. The last must stay below the target for which the prices in packages/execution/src/contract/contract-gas.ts are made.
 * State keys are warm. The read of a cold key is measured at the end, in a store with many keys, of which LevelDB's cache holds only a part. Figures
 * are CPU time of the process, the best of several rounds, scaled to the reference machine.
 * Uses dist: build first. Usage: node scripts/bench/host-functions.mjs [--keys 1000000]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compileAbi } from '../../packages/execution/dist/contract/abi/abi.js'
import { GUEST_LINK } from '../../packages/execution/dist/contract/guest.js'
import { CONTRACT_HANDLERS, CONTRACT_HOST } from '../../packages/execution/dist/contract/host/index.js'
import { Journal } from '../../packages/execution/dist/state/journal.js'
import { createInterpreter } from '../../packages/execution/dist/vm/index.js'
import { CANDIDATES, loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { openClassicKv } from '../../packages/node/dist/store/classic-kv.js'
import { loadInterpreterBinary, nodeWasm } from '../../packages/platform/dist/wasm.js'
import { Hash } from '../../packages/protocol/dist/index.js'
import { calibrate, calibrationLine, REFERENCE_SECONDS } from './lib/calibration.mjs'

const { values } = parseArgs({ options: { keys: { type: 'string', default: '1000000' } } })
const ROUNDS = 9
const ROUND_US = 30_000
/** µs per million ticks. */
const TARGET = 333
const GAS = 10_000_000_000
const CALLEE = `0x${'ca'.repeat(20)}`

const crypto = await loadCrypto({ ...CANDIDATES, curve: CANDIDATES.curve.filter(({ backend }) => backend === 'ox-wasm') })
const interpreter = createInterpreter({
  wasm: nodeWasm,
  binary: await loadInterpreterBinary(),
  host: CONTRACT_HOST,
  link: GUEST_LINK,
})

const parameter = (type, indexed) => ({ name: '', type, indexed })
const event = (name, ...inputs) => ({ type: 'event', name, anonymous: false, inputs })
const address = (n) => `0x${n.toString(16).padStart(40, '0')}`
const abi = compileAbi(crypto, [
  event('Transfer', parameter('address', true), parameter('address', true), parameter('uint256', false)),
  event('Text', parameter('string', true)),
  event('Data', parameter('bytes', false)),
  event('Plain'),
  { type: 'error', name: 'Insufficient', inputs: [parameter('uint256'), parameter('uint256')] },
]).value

let frames = 0
function frameOf() {
  const journal = new Journal()
  journal.setCode(CALLEE, new Uint8Array(1000), Hash(new Uint8Array(32).fill(1)))
  frames++
  return {
    crypto,
    chainId: 7357,
    journal,
    block: { number: 1, timeMs: 1_700_000_000_000, proposer: address(frames + 1e9), gasLimit: 60_000_000, baseFee: 7n },
    self: address(frames),
    sender: address(frames + 2e9),
    value: 2n ** 200n,
    abi,
    access: 'write',
    send: () => ({ ok: true, gasUsed: 0, data: new Uint8Array(32), contractAddress: CALLEE }),
  }
}

/** CPU time of the process in microseconds. */
function cpu(action) {
  const before = process.cpuUsage()
  action()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Image of a contract that runs `prepare` and `once`, then `body` `count` times. */
function imageOf(prepare, once, body) {
  const source = `export default { functions: { run: (count) => { ${prepare}; { const i = -1; ${once} } for (let i = 0; i < count; i++) { ${body} } } } }`
  const compiled = interpreter.compile({ source, gas: GAS })
  if (!compiled.ok) throw new Error(`${source}: ${compiled.error.message}`)
  return compiled.value.image
}

function run(image, count) {
  const request = { image, entry: 'functions.run', values: [count], handlers: CONTRACT_HANDLERS, scope: frameOf(), gas: GAS }
  const outcome = interpreter.call(request)
  if (outcome.kind !== 'return') throw new Error(`${outcome.kind} ${outcome.error?.message ?? ''}`)
  return outcome.gasUsed
}

/** µs and gas of one iteration. */
function measure(image, count) {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    let calls = 0
    let spent = 0
    while (spent < ROUND_US) {
      spent += cpu(() => run(image, count))
      calls++
    }
    best = Math.min(best, spent / (calls * count))
  }
  return { us: best, gas: run(image, count) / count }
}

const samples = [
  ['sender', 200, '', 'quoin.sender'],
  ['value', 200, '', 'quoin.value'],
  ['block', 200, '', 'quoin.block'],
  ['gasLeft', 200, '', 'quoin.gasLeft'],
  ['load uint256', 200, 'quoin.store("uint256", "key", 2n ** 255n)', 'quoin.load("uint256", "key")'],
  ['load address', 200, 'quoin.store("address", "key", quoin.sender)', 'quoin.load("address", "key")'],
  ['load string 64 KiB', 10, 'quoin.store("string", "key", "ä".repeat(32768))', 'quoin.load("string", "key")'],
  ['load bytes 64 KiB', 10, 'quoin.store("bytes", "key", new Uint8Array(65536).fill(1))', 'quoin.load("bytes", "key")'],
  ['load address[1000]', 10, 'quoin.store("address[]", "key", Array(1000).fill(quoin.sender))', 'quoin.load("address[]", "key")'],
  ['load of a long type', 100, 'const type = "(" + "bool,".repeat(60) + "bool)"', 'quoin.load(type, "key")'],
  ['load of a wrong type', 100, 'quoin.store("uint256", "key", 256n)', 'try { quoin.load("uint8", "key") } catch {}'],
  ['has, long key', 200, 'const key = "€".repeat(42)', 'quoin.has(key)'],
  ['has, key of bytes', 200, 'const key = new Uint8Array(128).fill(7)', 'quoin.has(key)'],
  ['store uint256', 200, '', 'quoin.store("uint256", "key", 2n ** 255n)'],
  ['store address', 200, 'const a = quoin.sender', 'quoin.store("address", "key", a)'],
  ['store string 32 KiB', 10, 'const text = "ä".repeat(16384)', 'quoin.store("string", "key", text)'],
  ['store bytes 64 KiB', 10, 'const bytes = new Uint8Array(65536).fill(1)', 'quoin.store("bytes", "key", bytes)'],
  ['store uint256[1000]', 10, 'const list = Array(1000).fill(2n ** 255n)', 'quoin.store("uint256[]", "key", list)'],
  ['remove', 200, '', 'quoin.remove("key")'],
  ['emit Transfer', 100, 'const a = quoin.sender', 'quoin.emit("Transfer", a, a, 2n ** 255n)'],
  ['emit Plain', 100, '', 'quoin.emit("Plain")'],
  ['emit, hashed 32 KiB', 10, 'const text = "ä".repeat(16384)', 'quoin.emit("Text", text)'],
  ['emit, data 64 KiB', 10, 'const bytes = new Uint8Array(65536).fill(1)', 'quoin.emit("Data", bytes)'],
  ['emit, unknown', 100, '', 'try { quoin.emit("Nothing") } catch {}'],
  ['revert', 100, '', 'try { quoin.revert("Insufficient", 1n, 2n) } catch {}'],
  ['call', 100, '', `quoin.call("${CALLEE}", "balanceOf(address)(uint256)", ["${CALLEE}"])`],
  ['callRaw 64 KiB', 10, 'const bytes = new Uint8Array(65536).fill(1)', `quoin.callRaw("${CALLEE}", bytes)`],
  ['call, long signature', 50, 'const s = "f(" + "bool,".repeat(60) + "bool)"', `quoin.call("${CALLEE}", "f()(uint256)", []), i`],
  [
    'call, new signatures',
    50,
    'const list = ",uint256".repeat(60)',
    `try { quoin.call("${CALLEE}", "f" + i + "(uint256" + list + ")", []) } catch {}`,
  ],
  ['transfer', 100, '', `quoin.transfer("${CALLEE}", 1n)`],
  ['create 64 KiB', 10, 'const bytes = new Uint8Array(65536).fill(1)', 'quoin.create(bytes)'],
  ['balanceOf', 200, '', `quoin.balanceOf("${CALLEE}")`],
  ['codeAt', 200, '', `quoin.codeAt("${CALLEE}")`],
  ['keccak256 32 B', 200, 'const bytes = new Uint8Array(32).fill(1)', 'quoin.keccak256(bytes)'],
  ['keccak256 of nothing', 200, 'const bytes = new Uint8Array(0)', 'quoin.keccak256(bytes)'],
  ['sha256 of nothing', 200, 'const bytes = new Uint8Array(0)', 'quoin.sha256(bytes)'],
  ['concatBytes', 200, 'const parts = [new Uint8Array(1), new Uint8Array(1)]', 'quoin.concatBytes(parts)'],
  ['encodeUtf8', 200, '', 'quoin.encodeUtf8("a")'],
  ['decodeUtf8', 200, 'const bytes = new Uint8Array(1).fill(65)', 'quoin.decodeUtf8(bytes)'],
  ['encodeHex', 200, 'const bytes = new Uint8Array(1)', 'quoin.encodeHex(bytes)'],
  ['decodeHex', 200, '', 'quoin.decodeHex("0x00")'],
  ['compareBytes', 200, 'const bytes = new Uint8Array(1)', 'quoin.compareBytes(bytes, bytes)'],
  ['parseAddress', 200, '', `quoin.parseAddress("${CALLEE}")`],
  ['abiEncode', 200, '', 'quoin.abiEncode("uint8", [1n])'],
  ['abiDecode', 200, 'const bytes = new Uint8Array(32)', 'quoin.abiDecode("uint8", bytes)'],
  ['verifySortedProof', 200, 'const b = new Uint8Array(32)', 'quoin.verifySortedProof(b, b, new Uint8Array(0))'],
  ['refusal', 100, '', 'try { quoin.has(1n) } catch {}'],
]

const calibration = calibrate()
const scale = REFERENCE_SECONDS / calibration.seconds
console.log(calibrationLine(calibration))
const cell = (value, width) => value.toLocaleString('en-US', { maximumFractionDigits: 2 }).padStart(width)
const over = []
console.log(`${crypto.chosen.map(({ job, backend }) => `${job} ${backend}`).join(', ')}; Node ${process.version}\n`)
console.log(`${'call'.padEnd(24)}${'µs'.padStart(10)}${'ticks'.padStart(14)}${'µs/Mtick'.padStart(10)}`)
for (const [name, count, prepare, body] of samples) {
  const full = measure(imageOf(prepare, body, body), count)
  const empty = measure(imageOf(prepare, body, ''), count)
  const us = scale * (full.us - empty.us)
  const gas = full.gas - empty.gas
  const perMillion = (1e6 * us) / gas
  console.log(`${name.padEnd(24)}${cell(us, 10)}${cell(gas, 14)}${cell(perMillion, 10)}`)
  if (perMillion > TARGET) over.push(`${name}: ${Math.round(perMillion)}`)
}
console.log(over.length === 0 ? '\nAll are below their targets.' : `\nAbove their targets:\n${over.join('\n')}`)

const keys = Number(values.keys)
const BATCH = 10_000
const keyOf = (i) => crypto.keccak256(Uint8Array.of(i & 255, (i >> 8) & 255, (i >> 16) & 255)).slice(0, 29)
const folder = await mkdtemp(join(tmpdir(), 'quoin-bench-'))
const kv = await openClassicKv(folder, { cacheBytesMax: 8 * 1024 * 1024 })
try {
  for (let i = 0; i < keys; i += BATCH)
    await kv.write(Array.from({ length: BATCH }, (_, j) => ({ key: keyOf(i + j), value: new Uint8Array(100).fill(1) })))
  const reads = Math.min(keys, 50_000)
  const wanted = Array.from({ length: reads }, (_, i) => keyOf((i * 7919) % keys))
  const us = cpu(() => {
    for (const key of wanted) kv.get(key)
  })
  console.log(`\nA read of LevelDB among ${keys.toLocaleString('en-US')} keys of 130 bytes: ${cell((scale * us) / reads, 1)} µs`)
} finally {
  await kv.close()
  await rm(folder, { recursive: true })
}
