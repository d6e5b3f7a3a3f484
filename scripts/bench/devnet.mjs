// Throughput and idle finality of a devnet: four validators as four processes, and the load generator on the same machine.
// --tokens sends transfers of an ERC-20 token from --senders accounts instead of plain transfers.
// --warm-up N sends N transactions before the clock starts, because a new process spends most of its time compiling JavaScript.
// --profile runs the validators under V8's profiler (a fifth slower) and shows the CPU time by part.
//   node scripts/bench/devnet.mjs [--tokens] [--senders N] [--transactions N] [--warm-up N] [--batch N] [--idle N] [--block-time MS] [--profile]
// Transactions are signed before the clock starts. They are sent over HTTP to all four validators and counted when they are final.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { developmentAccounts } from '../../packages/platform/dist/index.js'
import { profileShares } from './lib/cpu-profile.mjs'
import { startDevnet, stopDevnet } from './lib/devnet.mjs'
import { closeRpc, metrics, post, rpc } from './lib/rpc.mjs'
import { plainTransfers, signer, tokenTransfers } from './lib/workload.mjs'

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '10000' },
    tokens: { type: 'boolean', default: false },
    senders: { type: 'string', default: '200' },
    batch: { type: 'string', default: '1' },
    'warm-up': { type: 'string', default: '0' },
    idle: { type: 'string', default: '30' },
    'block-time': { type: 'string', default: '500' },
    profile: { type: 'boolean', default: false },
    'rpc-port': { type: 'string', default: '18545' },
    'p2p-port': { type: 'string', default: '36656' },
  },
})
const total = Number(values.transactions)
const batch = Number(values.batch)
const idleRounds = Number(values.idle)
const rpcPort = Number(values['rpc-port'])
const ports = [0, 1, 2, 3].map((i) => rpcPort + i)
const crypto = await loadCrypto()
const accounts = developmentAccounts(crypto)
const sign = signer(crypto)

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]

const POLL_MS = 2

/** Milliseconds from sending a transaction to one validator until another one has the receipt. */
async function idleFinality() {
  const times = []
  for (let i = 0; i < idleRounds; i++) {
    const raw = sign(accounts[8], i, { to: accounts[9].address, value: 1n, gas: 21_000n })
    // Wait for longer than the block interval, so that the chain is idle.
    await new Promise((next) => setTimeout(next, 700 + 37 * (i % 7)))
    const started = performance.now()
    const hash = await rpc(ports[i % 4], 'eth_sendRawTransaction', raw)
    const reader = ports[(i + 1 + (i % 3)) % 4]
    // Asked at once and again, the answers would take the processor that consensus needs.
    while ((await rpc(reader, 'eth_getTransactionReceipt', hash)) === null) await new Promise((next) => setTimeout(next, POLL_MS))
    times.push(performance.now() - started)
  }
  return times.sort((a, b) => a - b)
}

/** Connections per sender: several if there are few senders, one if there are many. */
const lanesOf = (senders) => Math.max(1, Math.floor(32 / senders))

/** Sends each sender's transactions in order over its connections. Each sender uses one validator. */
async function sendAll(rawsBySender) {
  const bodyOf = (raws) => {
    const calls = raws.map((raw, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] }))
    return JSON.stringify(batch === 1 ? calls[0] : calls)
  }
  await Promise.all(
    rawsBySender.map(async (raws, sender) => {
      const port = ports[sender % ports.length]
      const bodies = []
      for (let i = 0; i < raws.length; i += batch) bodies.push(bodyOf(raws.slice(i, i + batch)))
      let next = 0
      const lane = async () => {
        while (next < bodies.length) {
          const answers = [await post(port, bodies[next++])].flat()
          const failed = answers.find(({ error }) => error !== undefined)
          if (failed !== undefined) throw new Error(`refused: ${failed.error.message}`)
        }
      }
      await Promise.all(Array.from({ length: lanesOf(rawsBySender.length) }, lane))
    }),
  )
}

/** Waits until all four validators have committed a number of transactions. */
async function untilFinal(transactions) {
  for (;;) {
    const now = await Promise.all(ports.map(metrics))
    if (now.every(({ chain_transactions_total }) => chain_transactions_total >= transactions)) return
    await new Promise((next) => setTimeout(next, 20))
  }
}

const committed = async () => Math.max(...(await Promise.all(ports.map(metrics))).map((node) => node.chain_transactions_total))

/** Sends transactions and waits until they are final on all four validators. */
async function sendAndWait(raws) {
  const before = await committed()
  await sendAll(raws)
  await untilFinal(before + raws.flat().length)
}

/** Sends about `wanted` transactions of a workload at once and waits until they are final on all four validators. */
async function load(workload, wanted) {
  const raws = workload.transactions(Math.ceil(wanted / workload.senders))
  const count = raws.flat().length
  const before = await Promise.all(ports.map(metrics))
  const ownBefore = process.cpuUsage()
  const [started, startedUs] = [performance.now(), process.hrtime.bigint() / 1000n]
  await sendAll(raws)
  const sentMs = performance.now() - started
  await untilFinal(before[0].chain_transactions_total + count)
  const tookMs = performance.now() - started
  const own = process.cpuUsage(ownBefore)
  const after = await Promise.all(ports.map(metrics))
  const windowUs = [Number(startedUs), Number(process.hrtime.bigint() / 1000n)]
  await workload.check()
  const grown = (name) => after.map((node, i) => node[name] - before[i][name])
  return { name: workload.name, count, sentMs, tookMs, windowUs, ownUs: own.user + own.system, grown, after }
}

const perSecond = (count, ms) => Math.round((1000 * count) / ms)
const joined = (numbers, map = Math.round) => numbers.map(map).join(' ')

function report({ name, count, sentMs, tookMs, ownUs, grown, after }) {
  const cpuUs = grown('process_cpu_seconds_total').map((seconds) => (1e6 * seconds) / count)
  console.log(
    `${count} ${name}, HTTP requests of ${batch}: ${perSecond(count, tookMs)} finalised a second (accepted at ${perSecond(count, sentMs)}/s, final on all four after ${(tookMs / 1000).toFixed(2)} s, ${grown('chain_height')[0]} blocks)`,
  )
  console.log(`  CPU a transaction: validators ${joined(cpuUs)} µs, load generator ${Math.round(ownUs / count)} µs`)
  console.log(
    `  senders recovered: ${joined(grown('crypto_senders_recovered_total'))}; gossip payloads: ${joined(grown('engine_gossip_payloads'))}; requests: ${joined(grown('network_requests_out'))}`,
  )
  console.log(`  memory: ${joined(after.map((node) => node.process_resident_bytes / 2 ** 20))} MB`)
  return cpuUs.reduce((a, b) => a + b, 0) / cpuUs.length
}

const directory = await mkdtemp(join(tmpdir(), 'quoin-bench-'))
const profiles = join(directory, 'profiles')
const child = await startDevnet({
  options: ['--block-time', values['block-time']],
  directory: join(directory, 'devnet'),
  rpcPort,
  p2pPort: Number(values['p2p-port']),
  nodeArgs: values.profile ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [],
})
let measured
try {
  if (idleRounds > 0) {
    const idle = await idleFinality()
    const ms = (q) => quantile(idle, q).toFixed(0)
    console.log(
      `idle finality, sent to one validator, receipt from another: p50 ${ms(0.5)} ms, p90 ${ms(0.9)} ms, max ${ms(1)} ms (${idle.length} transactions)`,
    )
  }
  const workload = values.tokens
    ? await tokenTransfers({ crypto, sign, deployer: accounts[0], count: Number(values.senders), ports, sendAll: sendAndWait })
    : plainTransfers(sign, accounts)
  if (Number(values['warm-up']) > 0) report(await load(workload, Number(values['warm-up'])))
  measured = await load(workload, total)
  const cpuUs = report(measured)
  await stopDevnet(child)
  if (values.profile) {
    const shares = await profileShares(profiles, ...measured.windowUs)
    console.log(
      `  a validator's CPU by part: ${[...shares].map(([part, share]) => `${part} ${Math.round(100 * share)} % (${Math.round(share * cpuUs)} µs)`).join(', ')}`,
    )
  }
} finally {
  await stopDevnet(child)
  closeRpc()
  await rm(directory, { recursive: true })
}
