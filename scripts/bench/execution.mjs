/**
 * Transfers per second of the executor on LevelDB: first inline, with its CPU time split into the state tree and the rest (decoding, checks, journal,
 * receipts, history, packing); then the same blocks through the worker, which must produce the same chain. Also measures separately the checksums of
 * the records that these blocks wrote and read. Build first.
 *
 *   node scripts/bench/execution.mjs [--blocks 10] [--transfers 1000] [--accounts 20000] [--depth 13]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createExecutor, executionVersion, openTree, unpackOps } from '../../packages/execution/dist/index.js'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { startWorkerExecutor } from '../../packages/node/dist/executor/worker-executor.js'
import { openClassicKv } from '../../packages/node/dist/store/classic-kv.js'
import { recordChecksum } from '../../packages/node/dist/store/record-checksum.js'
import { RecordSealer } from '../../packages/node/dist/store/sealed-record.js'
import { loadContractInterpreter } from '../../packages/platform/dist/wasm.js'
import {
  addressOfPublicKey,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  encodeRlp,
  hexToBytes,
  idOfName,
  integerPayload,
  ownSeat,
  publicKeyOf,
  treeKey,
  ungovernedConsortium,
  unwrap,
} from '../../packages/protocol/dist/index.js'

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '10' },
    transfers: { type: 'string', default: '1000' },
    accounts: { type: 'string', default: '20000' },
    depth: { type: 'string', default: '13' },
  },
})
const [blocks, transfers, accounts, depth] = ['blocks', 'transfers', 'accounts', 'depth'].map((name) => Number(values[name]))

const warmUp = Math.ceil(blocks / 5)
const chainId = 31337
const crypto = await loadCrypto()
const interpreter = await loadContractInterpreter()
const addressOf = (n) => `0x${n.toString(16).padStart(8, '0').repeat(5)}`

/** The executor gets senders from its caller, as in the node. It never checks the signature. */
function transfer(n) {
  const sender = n % accounts
  const to = hexToBytes(addressOf((n * 7919 + 1) % (2 * accounts)))
  const fields = [chainId, Math.floor(n / accounts), 1, 10n ** 10n, 21_000].map(integerPayload)
  const rest = [
    to,
    integerPayload(10n ** 15n),
    new Uint8Array(0),
    [],
    integerPayload(1),
    new Uint8Array(32).fill(1),
    new Uint8Array(32).fill(1),
  ]
  return { raw: Uint8Array.from([2, ...encodeRlp([...fields, ...rest])]), sender: addressOf(sender) }
}

const publicKey = publicKeyOf(crypto.publicKey(new Uint8Array(32).fill(7)))
const validator = addressOfPublicKey(crypto, publicKey)
const member = { id: idOfName('bank-a'), address: validator, publicKey, power: 1, feeAddress: validator }
const genesis = {
  chainId,
  timeMs: 1_700_000_000_000,
  development: true,
  executionVersion: executionVersion(crypto),
  parameters: { ...DEFAULT_PARAMETERS, blockGasMax: 1_000_000_000, transactionGasMax: 15_000_000 },
  validators: createValidatorSet([member]),
  consortium: ungovernedConsortium([ownSeat(member)]),
  nodes: [],
  alloc: Array.from({ length: accounts }, (_, n) => ({ address: addressOf(n), balance: 10n ** 24n })),
  systemContracts: [],
  restart: undefined,
}

/** CPU time of this process with all threads, in milliseconds. */
function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Runs all blocks, after a fifth of their number for warm-up. Returns milliseconds of execution and of writing, and the last hash. */
async function run(executor, kv, onBlock = () => {}) {
  let block = await executor.genesis(genesis)
  await kv.write(unpackOps(block.ops))
  await executor.commit(block.hash)
  const total = { cpu: 0, execute: 0, unpack: 0, write: 0, ops: 0, bytes: 0 }
  for (let number = 0; number < blocks + warmUp; number++) {
    const list = Array.from({ length: transfers }, (_, i) => transfer(number * transfers + i))
    const template = {
      parent: block.header,
      parentHash: block.hash,
      timeMs: block.header.timeMs + 500,
      miner: validator,
      extra: block.header.extra,
    }
    const t0 = performance.now()
    const cpu0 = cpuMs()
    block = unwrap(await executor.execute(template, list))
    const t1 = performance.now()
    const cpu1 = cpuMs()
    const ops = unpackOps(block.ops)
    const t2 = performance.now()
    await kv.write(ops)
    const t3 = performance.now()
    await executor.commit(block.hash)
    if (number < warmUp) continue
    onBlock(ops)
    total.cpu += cpu1 - cpu0
    total.execute += t1 - t0
    total.unpack += t2 - t1
    total.write += t3 - t2
    total.ops += ops.length
    total.bytes += block.ops.length
  }
  return { ...total, hash: block.hash }
}

/** CPU time of the state tree: applies the same changes again to a separate tree. */
async function treeAlone(kv) {
  const entries = []
  for await (const entry of kv.scan({ from: Uint8Array.of(0x10), to: Uint8Array.of(0x11) })) entries.push(entry)
  const toChange = ([key, value]) => ({ key: treeKey(crypto, key.subarray(1)), value })
  const path = await mkdtemp(join(tmpdir(), 'quoin-bench-'))
  const own = await openClassicKv(path)
  const tree = unwrap(await openTree({ kv: own, crypto, depth, historyHeights: 64 }))
  const commit = async (height, changes) => {
    const prepared = tree.prepare(height, changes)
    await own.write(prepared.ops)
    tree.commit(prepared)
  }
  await commit(0, entries.map(toChange))
  let ms = 0
  for (let height = 1; height <= blocks + warmUp; height++) {
    const touched = Array.from({ length: 2 * transfers }, (_, i) => entries[(height * 7919 + i * 104_729) % entries.length])
    const cpu0 = cpuMs()
    const changes = touched.map(([key, value]) => toChange([key, Uint8Array.of(...value, height)]))
    const prepared = tree.prepare(height, changes)
    if (height > warmUp) ms += cpuMs() - cpu0
    await own.write(prepared.ops)
    tree.commit(prepared)
  }
  await own.close()
  await rm(path, { recursive: true })
  return ms
}

/** Records what the executor reads and what its blocks write, for `sealAlone`. */
function recorder(kv) {
  const blocks = []
  let read = []
  const get = (key) => {
    const value = kv.get(key)
    if (value !== undefined) read.push([key, value])
    return value
  }
  const onBlock = (ops) => {
    blocks.push({ written: ops.filter(({ value }) => value !== undefined), read })
    read = []
  }
  return {
    blocks,
    onBlock,
    kv: { get, getMany: (keys) => kv.getMany(keys), scan: (range) => kv.scan(range), write: (ops) => kv.write(ops) },
  }
}

/** Milliseconds for sealing the written records and for opening the read ones; medians of several rounds. */
function sealAlone(recorded) {
  const sealer = new RecordSealer()
  const opened = recorded.flatMap(({ read }) => read.map(([key, value]) => [key, sealer.seal(key, value).slice()]))
  const written = recorded.flatMap((block) => block.written)
  const rounds = Array.from({ length: 9 }, () => {
    const start = performance.now()
    for (const { key, value } of written) sealer.seal(key, value)
    const between = performance.now()
    // Measure only the checksum: the view of the value is needed with and without checksums.
    for (const [key, record] of opened) recordChecksum(key, record, record.length - 4)
    return { seal: between - start, open: performance.now() - between }
  })
  const median = (name) => rounds.map((round) => round[name]).toSorted((a, b) => a - b)[4]
  return { seal: median('seal'), open: median('open'), written: written.length, read: opened.length }
}

const count = blocks * transfers
const line = (name, ms) =>
  console.log(
    `${name.padEnd(46)} ${((1000 * ms) / count).toFixed(1).padStart(7)} µs/transfer ${Math.round((1000 * count) / ms)
      .toLocaleString('en')
      .padStart(9)}/s`,
  )

async function withDatabase(work) {
  const path = await mkdtemp(join(tmpdir(), 'quoin-bench-'))
  const kv = await openClassicKv(path)
  try {
    return await work(kv, path)
  } finally {
    await kv.close()
    await rm(path, { recursive: true })
  }
}

console.log(
  `${blocks} blocks of ${transfers} transfers, ${accounts} senders, tree depth ${depth}; crypto ${crypto.name}; Node ${process.version}`,
)
const inline = await withDatabase(async (kv) => {
  const recorded = recorder(kv)
  const options = { kv: recorded.kv, crypto, chainId, interpreter, treeDepth: depth, historyHeights: 64 }
  const result = await run(unwrap(await createExecutor(options)), kv, recorded.onBlock)
  const tree = await treeAlone(kv)
  line('inline: execute, wall time', result.execute)
  line('inline: execute, CPU', result.cpu)
  line('  of which the state tree, about', tree)
  line('  transactions, history, packing: the rest', result.cpu - tree)
  line('unpack ops', result.unpack)
  line('write, synced', result.write)
  const sums = sealAlone(recorded.blocks)
  line(`checksums of ${(sums.written / count).toFixed(1)} records written, once more`, sums.seal)
  line(`checksums of ${(sums.read / count).toFixed(1)} records read, once more`, sums.open)
  console.log(`ops ${(result.ops / count).toFixed(1)}/transfer, ${Math.round(result.bytes / count)} B/transfer`)
  return result
})
await withDatabase(async (kv, databasePath) => {
  const onFailure = (error) => {
    throw error
  }
  const options = { databasePath, chainId, treeDepth: depth, historyHeights: 64, logger: console, onFailure }
  const executor = unwrap(await startWorkerExecutor(options))
  const result = await run(executor, kv)
  await executor.close()
  line('worker: execute, as its caller waits', result.execute)
  if (result.hash !== inline.hash)
    throw new Error(`the worker's chain ends with ${result.hash}, but the inline chain with ${inline.hash}`)
})
