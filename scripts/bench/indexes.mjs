// Costs and use of the indexes of logs and accounts: commit time, bytes on disk, log queries over 100,000 blocks, pages of an account's history.
//   node scripts/bench/indexes.mjs [--blocks N] [--rounds N] [--only commits,disk,queries]
// Blocks are written by the store's own code, without executing them: transactions, receipts and state are made up, each with its usual size.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { accountPage } from '../../packages/node/dist/rpc/account-history.js'
import { BlockTexts } from '../../packages/node/dist/rpc/block-texts.js'
import { DEFAULT_RPC_LIMITS } from '../../packages/node/dist/rpc/limits.js'
import { LogMatcher } from '../../packages/node/dist/rpc/log-matcher.js'
import { scanLogs } from '../../packages/node/dist/rpc/logs.js'
import { Turns } from '../../packages/node/dist/rpc/turns.js'
import { accountIndexOps } from '../../packages/node/dist/store/account-index.js'
import { BlockIndex } from '../../packages/node/dist/store/block-index.js'
import { BlockStore } from '../../packages/node/dist/store/block-store.js'
import { openClassicKv } from '../../packages/node/dist/store/classic-kv.js'
import { logIndexOps } from '../../packages/node/dist/store/log-index.js'
import { SPACE } from '../../packages/node/dist/store/schema.js'
import { systemClock } from '../../packages/node/dist/system-clock.js'
import {
  addToBloom,
  bytesToHex,
  codec,
  createValidatorSet,
  emptyBloom,
  headerHash,
  publicKeyOf,
  receiptsCodec,
  ZERO_HASH,
} from '../../packages/protocol/dist/index.js'

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '9' },
    only: { type: 'string', default: 'commits,disk,queries' },
  },
})
const BLOCKS = Number(values.blocks)
const rounds = Number(values.rounds)
const ACCOUNTS = 100_000
const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'
const TOKEN = `0x${'70'.repeat(20)}`
const crypto = await loadCrypto()
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]
const ms = (value) => value.toFixed(2).padStart(9)

// A generator with a seed: each run has the same blocks.
let state = 1
const random = (below) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}
const pool = Uint8Array.from({ length: 1024 * 1024 }, () => random(256))
let made = 0
/** Bytes of the pool, with a number at the end that makes them different each time. */
const randomBytes = (length) => {
  const from = random(pool.length - length)
  const bytes = pool.slice(from, from + length)
  made++
  for (let i = 1; i <= 4; i++) bytes[length - i] = made >>> (8 * i - 8)
  return bytes
}
const accounts = Array.from({ length: ACCOUNTS }, (_, i) =>
  bytesToHex(crypto.keccak256(new Uint8Array(Uint32Array.of(i).buffer)).subarray(12)),
)
const topicOf = (account) => `0x${'00'.repeat(12)}${account.slice(2)}`

/** A block of token transfers between random accounts. */
function blockOf({ header: parent, hash: parentHash }, transfers, hasState = true) {
  const height = parent.number + 1
  const senders = Array.from({ length: transfers }, () => accounts[random(ACCOUNTS)])
  const logs = senders.map((from) => ({
    address: TOKEN,
    topics: [TRANSFER, topicOf(from), topicOf(accounts[random(ACCOUNTS)])],
    data: new Uint8Array(32),
  }))
  const logsBloom = emptyBloom()
  addToBloom(crypto, logsBloom, logs)
  const receipts = logs.map((log, i) => ({
    ...{ status: 1, gasUsed: 50_000, cumulativeGasUsed: 50_000 * (i + 1), logs: [log], errorData: new Uint8Array(0) },
    ...{ contractAddress: undefined, payer: senders[i] },
  }))
  const header = { ...parent, parentHash, number: height, timeMs: parent.timeMs + 500, logsBloom, genesisDigest: undefined }
  return {
    ...{ header, hash: headerHash(crypto, header), certificate: undefined, validators: [], creations: [] },
    transactions: senders.map((sender) => ({ raw: randomBytes(180), hash: bytesToHex(randomBytes(32)), sender, to: TOKEN })),
    receipts: codec.encode(receiptsCodec, receipts),
    // Per transfer two balances and the sender's account, each in the state and in the history, and the buckets of the tree.
    ops: Array.from({ length: hasState ? 7 * transfers : 0 }, (_, i) => ({
      key: Uint8Array.of(0x10 + (i & 1), ...randomBytes(60)),
      value: i % 7 === 6 ? randomBytes(300) : randomBytes(33),
    })),
  }
}

/** A database whose writes lack some spaces, and are gathered if `opsMax` is above 0. */
async function openBench(path, { without = [], opsMax = 0 } = {}) {
  const inner = await openClassicKv(path)
  let waiting = []
  const flush = async () => {
    await inner.write(waiting)
    waiting = []
  }
  const kv = {
    get: (key) => inner.get(key),
    scan: (range) => inner.scan(range),
    async write(ops) {
      const kept = without.length === 0 ? ops : ops.filter(({ key }) => !without.includes(key[0]))
      if (opsMax === 0) return inner.write(kept)
      waiting = waiting.concat(kept)
      if (waiting.length > opsMax) await flush()
    },
  }
  const opened = BlockStore.open(kv, crypto)
  if (!opened.ok) throw new Error(opened.error.message)
  const store = opened.value
  await store.appendGenesis(genesis(), { genesisDigest: ZERO_HASH, restartEpoch: 0 })
  return { inner, kv, store, flush }
}

function genesis() {
  const publicKey = publicKeyOf(crypto.publicKey(new Uint8Array(32).fill(1)))
  const validator = { address: accounts[0], publicKey, power: 1, feeAddress: accounts[0] }
  const header = {
    ...{ parentHash: ZERO_HASH, miner: accounts[0], stateRoot: ZERO_HASH, transactionsRoot: ZERO_HASH, receiptsRoot: ZERO_HASH },
    ...{ logsBloom: emptyBloom(), number: 0, gasLimit: 72_000_000, gasUsed: 0, timeMs: 1_700_000_000_000, baseFeePerGas: 0n },
    extra: { executionVersion: ZERO_HASH, validatorsHash: ZERO_HASH, nextValidatorsHash: ZERO_HASH },
    genesisDigest: ZERO_HASH,
  }
  const set = createValidatorSet([validator])
  return {
    ...{ header, hash: headerHash(crypto, header), transactions: [], creations: [], receipts: new Uint8Array(4), ops: [] },
    ...{ certificate: undefined, validators: [1, 2].map((height) => ({ height, set })) },
  }
}

async function bytesOf(path) {
  const sizes = await Promise.all((await readdir(path)).map(async (name) => (await stat(join(path, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

const INDEXES = [SPACE.logIndex, SPACE.accountIndex, SPACE.creation]
const directory = await mkdtemp(join(tmpdir(), 'quoin-indexes-'))

async function commits(transfers) {
  const variants = { 'without indexes': INDEXES, 'with indexes': [] }
  const times = Object.fromEntries(Object.keys(variants).map((name) => [name, { write: [], loop: [] }]))
  const making = { logs: [], accounts: [], records: 0 }
  const opened = {}
  for (const [name, without] of Object.entries(variants))
    opened[name] = await openBench(join(directory, `${name}-${transfers}`), { without })
  for (let round = 0; round <= rounds; round++) {
    const block = blockOf(opened['with indexes'].store.head, transfers)
    const t0 = performance.now()
    const logOps = logIndexOps(block.header.number, block.receipts)
    const t1 = performance.now()
    const accountOps = accountIndexOps(block)
    const t2 = performance.now()
    // In turns, because the second one finds the block's strings and code warm.
    const names = Object.keys(variants)
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const started = performance.now()
      const writing = opened[name].store.append(block)
      const blocked = performance.now() - started
      await writing
      if (round > 0) {
        times[name].write.push(performance.now() - started)
        times[name].loop.push(blocked)
      }
    }
    if (round === 0) continue
    making.logs.push(t1 - t0)
    making.accounts.push(t2 - t1)
    making.records = [logOps.length, accountOps.length]
  }
  for (const { inner } of Object.values(opened)) await inner.close()
  console.log(`\ncommit of a block of ${transfers} token transfers, medians of ${rounds}, ms`)
  console.log(
    `  making the records of logs ${ms(median(making.logs))}, of accounts ${ms(median(making.accounts))}; records ${making.records}`,
  )
  for (const [name, { write, loop }] of Object.entries(times))
    console.log(`  ${name.padEnd(18)} commit ${ms(median(write))}   of it the thread is blocked ${ms(median(loop))}`)
}

async function disk(blocks, transfers) {
  const sizes = {}
  const variants = { none: INDEXES, logs: [SPACE.accountIndex], accounts: [SPACE.logIndex] }
  for (const [name, without] of Object.entries(variants)) {
    state = 7
    const path = join(directory, `disk-${name}-${transfers}`)
    const { inner, store, flush } = await openBench(path, { without, opsMax: 20_000 })
    for (let i = 0; i < blocks; i++) await store.append(blockOf(store.head, transfers))
    await flush()
    await inner.compact({ from: new Uint8Array(0), to: Uint8Array.of(0xff) })
    await inner.close()
    // LevelDB leaves its log and old tables until it is opened again.
    await (await openClassicKv(path)).close()
    sizes[name] = await bytesOf(path)
    await rm(path, { recursive: true })
  }
  const each = (name) => ((sizes[name] - sizes.none) / (blocks * transfers)).toFixed(1)
  const all = (sizes.none / (blocks * transfers)).toFixed(0)
  console.log(
    `\ndisk, ${blocks} blocks of ${transfers} transfers: log index ${each('logs')} bytes per log, account index ${each('accounts')} bytes per transaction; everything else ${all}`,
  )
}

async function queries(transfers) {
  const path = join(directory, 'queries')
  const { inner, store, flush } = await openBench(path, { opsMax: 20_000 })
  const rare = `0x${'99'.repeat(32)}`
  const started = performance.now()
  for (let i = 0; i < BLOCKS; i++) {
    const block = blockOf(store.head, transfers, false)
    if (i % Math.ceil(BLOCKS / 5) === 3) {
      const logs = [{ address: TOKEN, topics: [TRANSFER, topicOf(accounts[0]), rare], data: new Uint8Array(32) }]
      addToBloom(crypto, block.header.logsBloom, logs)
      block.hash = headerHash(crypto, block.header)
      const receipts = block.transactions.map((_, at) => ({
        ...{ status: 1, gasUsed: 1, cumulativeGasUsed: 1, logs: at === 0 ? logs : [], errorData: new Uint8Array(0) },
        ...{ contractAddress: undefined, payer: accounts[0] },
      }))
      block.receipts = codec.encode(receiptsCodec, receipts)
    }
    await store.append(block)
  }
  await flush()
  console.log(
    `\n${BLOCKS} blocks of ${transfers} transfers between ${ACCOUNTS} accounts, made in ${((performance.now() - started) / 1_000).toFixed(0)} s`,
  )
  const index = new BlockIndex(inner)
  const all = { from: 1, to: BLOCKS }
  const questions = {
    'a topic of 5 blocks': { addresses: [], topics: [[], [], [rare]] },
    'the same, with token and event': { addresses: [TOKEN], topics: [[TRANSFER], [], [rare]] },
    'an unknown address': { addresses: [`0x${'98'.repeat(20)}`], topics: [] },
    'transfers from an account': { addresses: [TOKEN], topics: [[TRANSFER], [topicOf(accounts[1])]] },
    'transfers from or to 100 accounts': { addresses: [], topics: [[], accounts.slice(0, 100).map(topicOf)] },
    'every transfer of the token': { addresses: [TOKEN], topics: [] },
  }
  console.log(`eth_getLogs over all of them, ms, medians of ${rounds}: index, scan`)
  for (const [name, criteria] of Object.entries(questions)) {
    const times = [[], []]
    const counts = []
    for (let round = 0; round <= rounds; round++) {
      for (const [i, useIndex] of [true, false].entries()) {
        store.dropCaches()
        const matcher = new LogMatcher(crypto, criteria)
        const used = useIndex
          ? matcher
          : Object.create(matcher, {
              clauses: { value: [] },
              mayMatch: { value: (bloom) => matcher.mayMatch(bloom) },
              matches: { value: (log) => matcher.matches(log) },
            })
        const turns = new Turns(systemClock, DEFAULT_RPC_LIMITS.sliceMs)
        const call = {
          ...{ limits: DEFAULT_RPC_LIMITS, shared: { texts: new BlockTexts(32 * 1024 * 1024) } },
          isSliceOver: () => turns.isOver(),
          nextTurn: () => turns.next({ remote: '', connection: 0 }),
        }
        const begun = performance.now()
        const { logs, through, reached } = await scanLogs({ reader: store, index, matcher: used, ...all, call })
        if (round > 0) times[i].push(performance.now() - begun)
        counts[i] = `${JSON.parse(logs.pieces.join('')).length}${reached === undefined ? '' : ` up to block ${through}`}`
      }
    }
    if (counts[0] !== counts[1]) throw new Error(`${name}: the index finds ${counts[0]} logs, the scan ${counts[1]}`)
    console.log(`  ${name.padEnd(36)}${ms(median(times[0]))}${ms(median(times[1]))}   ${counts[0]} logs`)
  }
  const pages = { 'an account': accounts[5], 'the token, in every block': TOKEN }
  for (const [name, account] of Object.entries(pages)) {
    const times = []
    for (let round = 0; round <= rounds; round++) {
      const begun = performance.now()
      await accountPage({ index, blocks: store }, account, { from: BLOCKS >> 1, newestFirst: true, size: 25 })
      if (round > 0) times.push(performance.now() - begun)
    }
    console.log(`  a page of 25 of ${name.padEnd(30)}${ms(median(times))}`)
  }
  await inner.close()
}

try {
  console.log(`load average ${loadavg()[0].toFixed(1)}`)
  const parts = {
    commits: [() => commits(10_000), () => commits(1_000), () => commits(10)],
    disk: [() => disk(50, 1_000), () => disk(5_000, 10)],
    queries: [() => queries(4)],
  }
  for (const name of values.only.split(',')) for (const part of parts[name]) await part()
  console.log(`load average ${loadavg()[0].toFixed(1)}`)
} finally {
  await rm(directory, { recursive: true, force: true })
}
