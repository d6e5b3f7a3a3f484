import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { loadCrypto } from '../../../packages/node/dist/crypto/load.js'
import { developmentAccounts } from '../../../packages/platform/dist/index.js'
import { startDevnet, stopDevnet } from './devnet.mjs'
import { closeRpc, metrics, rpc } from './rpc.mjs'
import { plainTransfers, signer } from './workload.mjs'

/** Runs a devnet under a steady load for a long time, and reports memory, handles or latency that grow. */

/** Transactions per second, sent to the validators in turn. One per second is followed until another validator has its receipt. */
const TRANSACTIONS_PER_SECOND = 80
/** Milliseconds between samples; less in a short run. */
const SAMPLE_MS = 5_000
const SAMPLES_MIN = 24
/** Allowed growth from the middle to the last third of a run: RSS and heap as a ratio and in bytes, file descriptors, latency as a ratio. */
export const SOAK_LIMITS = { memoryRatio: 1.15, memoryBytes: 24 * 2 ** 20, handles: 16, latencyRatio: 1.6 }

const pause = (ms) => new Promise((next) => setTimeout(next, ms))
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN

/**
 * @param {{ minutes: number, rpcPort: number, p2pPort: number, nodePath?: string, heapMegabytes?: number, print?: (line: string) => void }} options
 * @returns {Promise<{ samples: readonly object[], findings: readonly string[] }>} what was seen, and what grew
 */
export async function soak({ minutes, rpcPort, p2pPort, nodePath = process.execPath, heapMegabytes = 256, print = () => {} }) {
  const directory = await mkdtemp(join(tmpdir(), 'quoin-soak-'))
  const ports = [0, 1, 2, 3].map((i) => rpcPort + i)
  const devnet = await startDevnet({
    ...{ directory: join(directory, 'devnet'), rpcPort, p2pPort, nodePath },
    nodeArgs: [`--max-old-space-size=${heapMegabytes}`],
  })
  const stop = new AbortController()
  const latencies = []
  const load = Promise.all([transact(ports, latencies, stop.signal), read(ports, stop.signal), listen(ports, stop.signal)])
  const ended = load.then(() => undefined)
  try {
    const samples = await Promise.race([sample({ minutes, ports, latencies, print }), ended])
    if (samples === undefined) throw new Error('the load ended before the run was over')
    return { samples, findings: judge(samples) }
  } finally {
    stop.abort()
    await Promise.allSettled([load])
    closeRpc()
    await stopDevnet(devnet)
    await rm(directory, { recursive: true, force: true })
  }
}

async function transact(ports, latencies, signal) {
  const crypto = await loadCrypto()
  const accounts = developmentAccounts(crypto)
  const workload = plainTransfers(signer(crypto), accounts)
  const started = performance.now()
  let sent = 0
  let followed = Promise.resolve()
  while (!signal.aborted) {
    for (const [sender, [raw]] of workload.transactions(1).entries()) {
      const port = ports[sender % ports.length]
      const at = performance.now()
      const hash = await rpc(port, 'eth_sendRawTransaction', raw)
      if (sent++ % TRANSACTIONS_PER_SECOND !== 0) continue
      await followed
      followed = follow(ports[(sender + 1) % ports.length], hash).then(() => latencies.push(performance.now() - at))
    }
    await pause(Math.max(0, (1_000 * sent) / TRANSACTIONS_PER_SECOND - (performance.now() - started)))
  }
  await followed
}

async function follow(port, hash) {
  while ((await rpc(port, 'eth_getTransactionReceipt', hash)) === null) await pause(10)
}

/** Requests of typical applications, including filters that are never uninstalled. */
async function read(ports, signal) {
  for (let i = 0; !signal.aborted; i++) {
    const port = ports[i % ports.length]
    await rpc(port, 'eth_getBlockByNumber', 'latest', i % 16 === 0)
    await rpc(port, 'eth_getBalance', '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266', 'latest')
    await rpc(port, 'eth_getLogs', {})
    if (i % 64 === 0) await rpc(port, 'eth_newBlockFilter')
    await pause(20)
  }
}

/** Opens WebSockets, subscribes and closes them again; half of them without a close handshake. */
async function listen(ports, signal) {
  for (let i = 0; !signal.aborted; i++) {
    const socket = new WebSocket(`ws://127.0.0.1:${ports[i % ports.length]}`)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    for (const params of [['newHeads'], ['logs', {}], ['newPendingTransactions']])
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params }))
    await pause(500)
    if (i % 2 === 0) socket.close()
    else socket.terminate()
  }
}

async function sample({ minutes, ports, latencies, print }) {
  const everyMs = Math.min(SAMPLE_MS, (60_000 * minutes) / SAMPLES_MIN)
  const end = performance.now() + 60_000 * minutes
  const started = performance.now()
  const samples = []
  while (performance.now() < end) {
    await pause(everyMs)
    const nodes = await Promise.all(ports.map(metrics))
    const taken = {
      seconds: Math.round((performance.now() - started) / 1_000),
      height: nodes[0].chain_height,
      rss: nodes.map((node) => node.process_resident_bytes),
      heap: nodes.map((node) => node.process_heap_bytes),
      rpcHeap: nodes.map((node) => node.rpc_heap_bytes),
      handles: await handlesOf(nodes),
      latencyMs: median(latencies.splice(0)),
      restarts: nodes.map((node) => node.rpc_restarts),
    }
    samples.push(taken)
    print(lineOf(taken))
  }
  return samples
}

/** Open file descriptors of the validators; 0 except on Linux. */
async function handlesOf(nodes) {
  if (process.platform !== 'linux') return nodes.map(() => 0)
  return Promise.all(nodes.map(async ({ process_id: pid }) => (await readdir(`/proc/${pid}/fd`)).length))
}

const megabytes = (list) => list.map((bytes) => Math.round(bytes / 2 ** 20)).join(' ')

const lineOf = ({ seconds, height, rss, heap, rpcHeap, handles, latencyMs }) =>
  `${String(seconds).padStart(5)} s  height ${height}  RSS ${megabytes(rss)} MB  heap ${megabytes(heap)}  RPC heap ${megabytes(rpcHeap)}  handles ${handles.join(' ')}  receipt after ${Math.round(latencyMs)} ms`

/** Compares the last third of a run with the middle third, and returns what grew. The first third is warm-up. */
export function judge(samples) {
  const third = Math.floor(samples.length / 3)
  const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)]
  const findings = []
  const { memoryRatio, memoryBytes, handles, latencyRatio } = SOAK_LIMITS
  for (const name of ['rss', 'heap', 'rpcHeap']) {
    for (let node = 0; node < 4; node++) {
      const [before, after] = [middle, last].map((part) => median(part.map((one) => one[name][node])))
      if (after > memoryRatio * before && after - before > memoryBytes)
        findings.push(`${name} of validator ${node + 1} grew from ${megabytes([before])} to ${megabytes([after])} MB`)
    }
  }
  for (let node = 0; node < 4; node++) {
    const [before, after] = [middle, last].map((part) => median(part.map((one) => one.handles[node])))
    if (after - before > handles) findings.push(`handles of validator ${node + 1} grew from ${before} to ${after}`)
    if (samples.at(-1).restarts[node] > 0) findings.push(`the RPC thread of validator ${node + 1} died`)
  }
  const [before, after] = [middle, last].map((part) => median(part.map(({ latencyMs }) => latencyMs).filter((ms) => ms > 0)))
  if (after > latencyRatio * before)
    findings.push(`receipts came after ${Math.round(before)} ms, then after ${Math.round(after)} ms`)
  if (last.at(-1).height <= middle[0].height) findings.push('the chain stalled')
  return findings
}
