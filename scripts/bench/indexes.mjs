// Costs and use of the indexes of logs and accounts: commit time, bytes on disk, log queries over 100,000 blocks, pages of an account's history.
//   node scripts/bench/indexes.mjs [--blocks N] [--rounds N] [--only commits,disk,queries]
// Blocks are written by the store's own code, without executing them: transactions, receipts and state are made up, each with its usual size.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { accountPage } from '../../packages/node/dist/rpc/account-history.js'
import { BlockTexts } from '../../packages/node/dist/rpc/block-texts.js'
import { DEFAULT_RPC_LIMITS } from '../../packages/node/dist/rpc/limits.js'
import { LogMatcher } from '../../packages/node/dist/rpc/log-matcher.js'
import { scanLogs } from '../../packages/node/dist/rpc/logs.js'
import { Turns } from '../../packages/node/dist/rpc/turns.js'
import { accountIndexOps } from '../../packages/node/dist/store/account-index.js'
import { BlockIndex } from '../../packages/node/dist/store/block-index.js'
import { openClassicKv } from '../../packages/node/dist/store/classic-kv.js'
import { logIndexOps } from '../../packages/node/dist/store/log-index.js'
import { SPACE } from '../../packages/node/dist/store/schema.js'
import { systemClock } from '../../packages/node/dist/system-clock.js'
import { addToBloom, codec, headerHash, receiptsCodec } from '../../packages/protocol/dist/index.js'
import { ACCOUNTS, accounts, blockOf, crypto, openBench, seed, TOKEN, TRANSFER, topicOf } from './lib/made-chain.mjs'

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '9' },
    only: { type: 'string', default: 'commits,disk,queries' },
  },
})
const BLOCKS = Number(values.blocks)
const rounds = Number(values.rounds)
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]
const ms = (value) => value.toFixed(2).padStart(9)

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
    seed(7)
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
    const block = blockOf(store.head, transfers, { hasState: false })
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
