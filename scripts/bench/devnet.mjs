// Throughput and idle finality of a devnet: four validators as four processes, and the load generator on the same machine.
// --warm-up N sends as many before the clock starts: a young process spends most of its time compiling JavaScript.
// --profile runs the validators under V8's profiler (a fifth slower) and shows what the CPU was spent on.
//   node scripts/bench/devnet.mjs [--transactions N] [--warm-up N] [--batch N] [--idle N] [--profile]
// Transactions are signed before the clock starts, sent over HTTP to all four validators, and counted when they are final.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { serializeTransaction } from 'viem'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { developmentAccounts } from '../../packages/node/dist/keys/development.js'
import { bytesToHex, hexToBytes } from '../../packages/protocol/dist/index.js'
import { profileShares } from './lib/cpu-profile.mjs'

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '10000' },
    batch: { type: 'string', default: '1' },
    'warm-up': { type: 'string', default: '0' },
    idle: { type: 'string', default: '30' },
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
const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const crypto = await loadCrypto()
const accounts = developmentAccounts(crypto)
const chainId = 31_337

function post(port, body) {
  return new Promise((resolve, reject) => {
    const call = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/',
      agent,
      headers: { 'content-type': 'application/json' },
    })
    call.on('response', (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk)).on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())))
    })
    call.on('error', reject)
    call.end(body)
  })
}

async function rpc(port, method, ...params) {
  const answer = await post(port, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`)
  return answer.result
}

function sign(account, nonce) {
  const transaction = {
    type: 'eip1559',
    chainId,
    nonce,
    to: accounts[9].address,
    value: 1n,
    gas: 21_000n,
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
  }
  const digest = crypto.keccak256(hexToBytes(serializeTransaction(transaction)))
  const { signature, yParity } = crypto.sign(digest, account.secretKey)
  const [r, s] = [0, 32].map((at) => bytesToHex(signature.subarray(at, at + 32)))
  return serializeTransaction(transaction, { r, s, yParity })
}

async function metrics(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name, value]) => [name.replace('quoin_', ''), Number(value)]),
  )
}

async function startDevnet(directory) {
  const script = fileURLToPath(new URL('../devnet.mjs', import.meta.url))
  const child = spawn(
    process.execPath,
    [
      ...(values.profile ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : []),
      script,
      '--data-dir',
      directory,
      '--rpc-port',
      values['rpc-port'],
      '--p2p-port',
      values['p2p-port'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let output = ''
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (output.includes('validators 4/4')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`the devnet ended with code ${code}`)))
  })
  return child
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]

/** Milliseconds from sending to one validator until another one has the receipt. */
async function idleFinality(nonces) {
  const times = []
  for (let i = 0; i < idleRounds; i++) {
    const account = accounts[8]
    const raw = sign(account, nonces[8]++)
    // An idle chain: longer than the block interval since the last block.
    await new Promise((next) => setTimeout(next, 700 + 37 * (i % 7)))
    const started = performance.now()
    const hash = await rpc(ports[i % 4], 'eth_sendRawTransaction', raw)
    const reader = ports[(i + 1 + (i % 3)) % 4]
    while ((await rpc(reader, 'eth_getTransactionReceipt', hash)) === null);
    times.push(performance.now() - started)
  }
  return times.sort((a, b) => a - b)
}

/** Sends each account's transactions in order over a few connections; every account to one validator. */
async function sendAll(rawsByAccount) {
  const bodyOf = (raws) => {
    const calls = raws.map((raw, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] }))
    return JSON.stringify(batch === 1 ? calls[0] : calls)
  }
  await Promise.all(
    rawsByAccount.map(async (raws, account) => {
      const port = ports[account % ports.length]
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
      await Promise.all([lane(), lane(), lane(), lane()])
    }),
  )
}

const nonces = accounts.map(() => 0)
const senders = 8

/** Sends `count` transfers at once and waits until they are final on all four validators. */
async function load(count) {
  const raws = Array.from({ length: senders }, (_, i) =>
    Array.from({ length: count / senders }, () => sign(accounts[i], nonces[i]++)),
  )
  const before = await Promise.all(ports.map(metrics))
  const ownBefore = process.cpuUsage()
  const [started, startedUs] = [performance.now(), process.hrtime.bigint() / 1000n]
  await sendAll(raws)
  const sentMs = performance.now() - started
  const goal = before[0].chain_transactions_total + count
  for (;;) {
    const now = await Promise.all(ports.map(metrics))
    if (now.every(({ chain_transactions_total }) => chain_transactions_total >= goal)) break
    await new Promise((next) => setTimeout(next, 20))
  }
  const tookMs = performance.now() - started
  const own = process.cpuUsage(ownBefore)
  const after = await Promise.all(ports.map(metrics))
  const grown = (name) => after.map((node, i) => node[name] - before[i][name])
  return {
    count,
    sentMs,
    tookMs,
    windowUs: [Number(startedUs), Number(process.hrtime.bigint() / 1000n)],
    ownUs: own.user + own.system,
    grown,
    after,
  }
}

const perSecond = (count, ms) => Math.round((1000 * count) / ms)
const joined = (numbers, map = Math.round) => numbers.map(map).join(' ')

function report({ count, sentMs, tookMs, ownUs, grown, after }) {
  const cpuUs = grown('process_cpu_seconds_total').map((seconds) => (1e6 * seconds) / count)
  console.log(
    `${count} transfers, HTTP requests of ${batch}: ${perSecond(count, tookMs)} finalised a second (accepted at ${perSecond(count, sentMs)}/s, final on all four after ${(tookMs / 1000).toFixed(2)} s, ${grown('chain_height')[0]} blocks)`,
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
const child = await startDevnet(join(directory, 'devnet'))
let measured
try {
  if (idleRounds > 0) {
    const idle = await idleFinality(nonces)
    const ms = (q) => quantile(idle, q).toFixed(0)
    console.log(
      `idle finality, sent to one validator, receipt from another: p50 ${ms(0.5)} ms, p90 ${ms(0.9)} ms, max ${ms(1)} ms (${idle.length} transactions)`,
    )
  }
  if (Number(values['warm-up']) > 0) report(await load(Number(values['warm-up'])))
  measured = await load(total)
  const cpuUs = report(measured)
  child.kill('SIGINT')
  await once(child, 'exit')
  if (values.profile) {
    const shares = await profileShares(profiles, ...measured.windowUs)
    console.log(
      `  a validator's CPU by part: ${[...shares].map(([part, share]) => `${part} ${Math.round(100 * share)} % (${Math.round(share * cpuUs)} µs)`).join(', ')}`,
    )
  }
} finally {
  if (child.exitCode === null) {
    child.kill('SIGINT')
    await once(child, 'exit')
  }
  agent.destroy()
  await rm(directory, { recursive: true })
}
