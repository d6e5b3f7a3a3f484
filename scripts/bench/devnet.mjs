// Throughput and idle finality of a devnet: four validators as four processes, and the load generator on the same machine.
// Node's own flags (--cpu-prof) reach the validators too.
//   node scripts/bench/devnet.mjs [--transactions N] [--batch N] [--idle N]
// Transactions are signed before the clock starts, sent over HTTP to all four validators, and counted when they are final.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { TxEnvelopeEip1559 } from 'ox'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { developmentAccounts } from '../../packages/node/dist/keys/development.js'
import { bytesToHex, hexToBytes } from '../../packages/protocol/dist/index.js'

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '10000' },
    batch: { type: 'string', default: '1' },
    idle: { type: 'string', default: '30' },
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
  const envelope = TxEnvelopeEip1559.from({
    chainId,
    nonce: BigInt(nonce),
    to: accounts[9].address,
    value: 1n,
    gas: 21_000n,
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
  })
  const { signature, yParity } = crypto.sign(hexToBytes(TxEnvelopeEip1559.getSignPayload(envelope)), account.secretKey)
  const [r, s] = [0, 32].map((at) => bytesToHex(signature.subarray(at, at + 32)))
  return TxEnvelopeEip1559.serialize(envelope, { signature: { r, s, yParity } })
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
    [...process.execArgv, script, '--data-dir', directory, '--rpc-port', values['rpc-port'], '--p2p-port', values['p2p-port']],
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

const directory = await mkdtemp(join(tmpdir(), 'quoin-bench-'))
const child = await startDevnet(directory)
try {
  const nonces = accounts.map(() => 0)
  const idle = await idleFinality(nonces)
  console.log(
    `idle finality, send on one node to receipt on another: p50 ${quantile(idle, 0.5).toFixed(0)} ms, p90 ${quantile(idle, 0.9).toFixed(0)} ms, max ${idle.at(-1).toFixed(0)} ms (${idle.length} transactions)`,
  )
  const senders = 8
  const raws = Array.from({ length: senders }, (_, i) =>
    Array.from({ length: total / senders }, () => sign(accounts[i], nonces[i]++)),
  )
  const before = await Promise.all(ports.map(metrics))
  const started = performance.now()
  await sendAll(raws)
  const sent = performance.now() - started
  const goal = before[0].chain_transactions_total + total
  for (;;) {
    const now = await Promise.all(ports.map(metrics))
    if (now.every(({ chain_transactions_total }) => chain_transactions_total >= goal)) break
    await new Promise((next) => setTimeout(next, 20))
  }
  const took = performance.now() - started
  console.log(
    `${total} transfers in HTTP requests of ${batch}: accepted in ${(sent / 1000).toFixed(2)} s (${Math.round((1000 * total) / sent)}/s), final on all four in ${(took / 1000).toFixed(2)} s: ${Math.round((1000 * total) / took)} finalised transactions a second`,
  )
  const after = await Promise.all(ports.map(metrics))
  console.log(
    `senders recovered by each node: ${after.map((node, i) => node.crypto_senders_recovered_total - before[i].crypto_senders_recovered_total).join(' ')}`,
  )
  console.log(
    `blocks: ${after[0].chain_height - before[0].chain_height}; memory MB: ${after.map(({ process_resident_bytes }) => Math.round(process_resident_bytes / 2 ** 20)).join(' ')}`,
  )
} finally {
  child.kill('SIGINT')
  await once(child, 'exit')
  agent.destroy()
  await rm(directory, { recursive: true })
}
