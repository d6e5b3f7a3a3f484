// Reads per second of one validator of a devnet, compared with anvil: the same requests over 8 connections, in turns.
//   node scripts/bench/reads.mjs [--rounds N] [--seconds S] [--only NAME,…]
// Both chains contain the same token transfers, some hundred per block. Without `npm ci --prefix bench` only the validator is measured.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { developmentAccounts } from '../../packages/platform/dist/index.js'
import { readContract } from '../../test/contracts/contract.mjs'
import { startDevnet, stopDevnet } from './lib/devnet.mjs'
import { closeRpc, rpc } from './lib/rpc.mjs'
import { loadOf } from './lib/token-load.mjs'
import { signer } from './lib/workload.mjs'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    'rpc-port': { type: 'string', default: '18545' },
    'p2p-port': { type: 'string', default: '36656' },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const CONNECTIONS = 8
const SENDERS = 100
const crypto = await loadCrypto()
const sign = signer(crypto)
const [deployer] = developmentAccounts(crypto)
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]

/** Number of answered requests in a number of seconds. Each connection sends the next request after it has the answer. */
async function measure(port, bodies) {
  const requests = bodies.map((body) =>
    Buffer.from(
      `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  )
  let count = 0
  let bytes = 0
  const end = performance.now() + 1_000 * seconds
  const one = (index) =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let at = index
      let waiting = 0
      let tail = ''
      const ask = () => {
        waiting = -1
        tail = ''
        socket.write(requests[at++ % requests.length])
      }
      socket.setNoDelay(true)
      socket.once('connect', ask)
      socket.once('error', reject)
      socket.on('data', (data) => {
        bytes += data.length
        if (waiting < 0) {
          // Relies on the response head arriving in one piece, with the beginning of the body.
          const head = data.indexOf('\r\n\r\n')
          const length = /content-length: (\d+)/i.exec(data.toString('latin1', 0, head))
          waiting = length === null ? Number.POSITIVE_INFINITY : Number(length[1]) - (data.length - head - 4)
        } else waiting -= data.length
        if (waiting === Number.POSITIVE_INFINITY) tail = (tail + data.toString('latin1', Math.max(0, data.length - 5))).slice(-5)
        if (waiting > 0 && tail !== '0\r\n\r\n') return
        count++
        if (performance.now() < end) return ask()
        socket.destroy()
        resolve()
      })
    })
  const started = performance.now()
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => one(i)))
  const elapsed = (performance.now() - started) / 1_000
  return { perSecond: count / elapsed, bytes: bytes / count }
}

const request = (method, ...params) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })

/** The requests; the same for each chain, except for block contents. */
async function questionsOf(port) {
  const head = Number(await rpc(port, 'eth_blockNumber'))
  const full = []
  for (let height = head; height > 0 && full.length < 16; height--) {
    const number = `0x${height.toString(16)}`
    if ((await rpc(port, 'eth_getBlockByNumber', number, false)).transactions.length >= SENDERS / 2) full.push(number)
  }
  if (full.length === 0) throw new Error('the chain has no full block')
  const { address } = deployer
  const balance = request('eth_getBalance', address, 'latest')
  const { transactions } = await rpc(port, 'eth_getBlockByNumber', full[0], false)
  const [transaction] = transactions
  const calls = { tracer: 'callTracer' }
  return {
    eth_chainId: [request('eth_chainId')],
    eth_blockNumber: [request('eth_blockNumber')],
    eth_getBalance: [balance],
    eth_getBlockByNumber: [request('eth_getBlockByNumber', full[0], false)],
    eth_getTransactionReceipt: [request('eth_getTransactionReceipt', transaction)],
    'batch of 20 balances': [`[${Array.from({ length: 20 }, () => balance).join(',')}]`],
    'full block': full.map((number) => request('eth_getBlockByNumber', number, true)),
    eth_getBlockReceipts: full.map((number) => request('eth_getBlockReceipts', number)),
    'eth_getLogs, a block': full.map((number) => request('eth_getLogs', { fromBlock: number, toBlock: number })),
    'eth_getLogs, all blocks': [request('eth_getLogs', { fromBlock: full.at(-1), toBlock: full[0] })],
    'first trace of a block': [request('debug_traceTransaction', transaction, calls)],
    'last trace of a block': [request('debug_traceTransaction', transactions.at(-1), calls)],
    'traces of a block': full.map((number) => request('debug_traceBlockByNumber', number, calls)),
  }
}

async function anvil() {
  const bench = new URL('../../bench/', import.meta.url)
  if (!existsSync(new URL('node_modules/.package-lock.json', bench))) return undefined
  const [{ compileSolidity }, { EVM_VERSION }, { startAnvil }] = await Promise.all([
    import('../../bench/solidity.mjs'),
    import('../../bench/ethereumjs.mjs'),
    import('./lib/development-chains.mjs'),
  ])
  const chain = await startAnvil({ hardfork: EVM_VERSION, blockTimeMs: 1_000 })
  return { chain, contract: compileSolidity('Token', EVM_VERSION) }
}

const directory = await mkdtemp(join(tmpdir(), 'quoin-reads-'))
const rpcPort = Number(values['rpc-port'])
const devnet = await startDevnet({ directory, rpcPort, p2pPort: Number(values['p2p-port']) })
const beside = await anvil()
try {
  const quoin = { name: 'validator', port: rpcPort, cpuUs: () => undefined }
  const contract = readContract('token')
  for (const [chain, its] of [[quoin, contract], ...(beside === undefined ? [] : [[beside.chain, beside.contract]])]) {
    const load = await loadOf({ crypto, sign, deployer, chain, contract: its, senders: SENDERS })
    await load.burst(20 * SENDERS)
    await load.check()
  }
  const ports = beside === undefined ? [rpcPort] : [rpcPort, beside.chain.port]
  const questions = await Promise.all(ports.map(questionsOf))
  const only = values.only === '' ? Object.keys(questions[0]) : values.only.split(',')
  console.log(
    `${CONNECTIONS} connections, ${rounds} rounds of ${seconds} s in turns, load average ${loadavg()[0].toFixed(1)}; answers a second, medians`,
  )
  console.log(
    `${'question'.padEnd(28)}${'validator'.padStart(12)}${'anvil'.padStart(12)}${'ratio'.padStart(8)}${'(each round)'.padStart(36)}${'bytes'.padStart(12)}`,
  )
  for (const name of only) {
    const results = ports.map(() => [])
    for (let round = 0; round <= rounds; round++) {
      for (const [i, port] of ports.entries()) {
        const result = await measure(port, questions[i][name])
        // The first round warms up.
        if (round > 0) results[i].push(result)
      }
    }
    const [ours, theirs] = results.map((list) => median(list.map(({ perSecond }) => perSecond)))
    const ratios = theirs === undefined ? [] : results[0].map(({ perSecond }, i) => perSecond / results[1][i].perSecond)
    const columns = [
      Math.round(ours).toString().padStart(12),
      (theirs === undefined ? '' : Math.round(theirs).toString()).padStart(12),
      (theirs === undefined ? '' : median(ratios).toFixed(2)).padStart(8),
      ratios
        .map((ratio) => ratio.toFixed(2))
        .join(' ')
        .padStart(36),
      results
        .map((list) => Math.round(list[0].bytes))
        .join('/')
        .padStart(12),
    ]
    console.log(name.padEnd(28) + columns.join(''))
  }
} finally {
  closeRpc()
  await beside?.chain.stop()
  await stopDevnet(devnet)
  await rm(directory, { recursive: true, force: true })
}
