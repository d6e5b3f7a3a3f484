// The SDK on a devnet of four processes: events to one reader, from the past and live, and the time from a send to its tracked inclusion.
//   node scripts/bench/sdk.mjs [--events N] [--rounds N] [--idle N] [--only replay,live,idle]
// The reader and the sender are this process, on the same machine. Run `npm run build` first.
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient, createPublicClient, createWalletClient, http, parseAbi } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { DEVELOPMENT_MNEMONIC } from '../../packages/platform/dist/index.js'
import { bytesToHex } from '../../packages/protocol/dist/index.js'
import { cluster, memoryStore, streamContractEvents, streamLogs, trackedSends } from '../../packages/sdk/dist/index.js'
import { containerOf } from '../../test/contracts/contract.mjs'
import { startDevnet, stopDevnet } from './lib/devnet.mjs'
import { closeRpc, rpc } from './lib/rpc.mjs'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '50000' },
    rounds: { type: 'string', default: '5' },
    idle: { type: 'string', default: '30' },
    only: { type: 'string', default: 'replay,live,idle' },
  },
})
const EVENTS = Number(values.events)
const ROUNDS = Number(values.rounds)
const PER_CALL = 100
const RPC_PORT = 18_545
const ports = [0, 1, 2, 3].map((i) => RPC_PORT + i)
const urls = ports.map((port) => `http://127.0.0.1:${port}`)
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]
const account = (addressIndex) => mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex })

const abi = parseAbi(['function count(uint256 events)', 'event Counted(uint256 indexed number)'])
const SOURCE = `export default { functions: { count(events) {
  let total = quoin.load('uint256', 'total') ?? 0n
  for (let i = 0n; i < events; i++) quoin.emit('Counted', ++total)
  quoin.store('uint256', 'total', total)
} } }`

async function deploy() {
  const wallet = createWalletClient({ account: account(0), chain: foundry, transport: http(urls[0]) })
  const reader = createPublicClient({ chain: foundry, transport: http(urls[0]), pollingInterval: 50 })
  const hash = await wallet.deployContract({ abi, bytecode: bytesToHex(containerOf(SOURCE, abi)) })
  return (await reader.waitForTransactionReceipt({ hash })).contractAddress
}

/** Emits so many events, by calls that are tracked. */
async function emit(address, events) {
  const sends = trackedSends({
    client: createClient({ chain: foundry, transport: cluster(urls) }),
    account: account(1),
    store: memoryStore(),
  })
  const call = () =>
    sends.writeContract({ abi, address, functionName: 'count', args: [BigInt(PER_CALL)], gas: 3_000_000n }).receipt
  const begun = performance.now()
  await Promise.all(Array.from({ length: events / PER_CALL }, call))
  await sends.close()
  return (1_000 * events) / (performance.now() - begun)
}

/** Events a second of a stream, until so many have come. */
async function read(stream, events) {
  const begun = performance.now()
  const cpu = process.cpuUsage()
  let seen = 0
  for await (const { items } of stream.batches()) if ((seen += items.length) >= events) break
  const { user, system } = process.cpuUsage(cpu)
  return { rate: (1_000 * seen) / (performance.now() - begun), ofCpu: (1_000 * seen) / ((user + system) / 1_000) }
}

async function replay(address) {
  const produced = await emit(address, EVENTS)
  console.log(`${EVENTS} events were emitted at ${produced.toFixed(0)} a second`)
  const events = { abi, address, eventName: 'Counted', from: { block: 0n } }
  for (const { name, open } of [
    { name: 'events by an ABI', open: (client) => streamContractEvents(client, events) },
    { name: 'logs', open: (client) => streamLogs(client, { address, from: { block: 0n } }) },
  ]) {
    const rounds = []
    for (let i = 0; i <= ROUNDS; i++) {
      const client = createClient({ chain: foundry, transport: cluster(urls) })
      const round = await read(open(client), EVENTS)
      client.transport.close()
      if (i > 0) rounds.push(round)
    }
    const [rate, ofCpu] = ['rate', 'ofCpu'].map((figure) => median(rounds.map((round) => round[figure])).toFixed(0))
    console.log(`  replay of ${name}: ${rate} a second, ${ofCpu} a second of the reader's processor time`)
  }
}

/** A reader at the head while the chain emits as fast as it can. */
async function live(address) {
  const client = createClient({ chain: foundry, transport: cluster(urls) })
  const stream = streamContractEvents(client, { abi, address, eventName: 'Counted' })
  const reading = stream[Symbol.asyncIterator]()
  const first = reading.next()
  const producing = emit(address, EVENTS)
  await first
  const begun = performance.now()
  let seen = 1
  while (seen < EVENTS) {
    await reading.next()
    seen++
  }
  const rate = (1_000 * seen) / (performance.now() - begun)
  await reading.return()
  client.transport.close()
  console.log(`  live: emitted at ${(await producing).toFixed(0)} a second, read at ${rate.toFixed(0)}`)
}

/** From a send to its receipt on an idle chain: by two requests to one node, and tracked; in turns. */
async function idle() {
  const own = []
  const tracked = []
  const wallet = createWalletClient({ account: account(2), chain: foundry, transport: http(urls[0]) })
  const sends = trackedSends({
    client: createClient({ chain: foundry, transport: cluster(urls) }),
    account: account(3),
    store: memoryStore(),
  })
  const target = { to: account(9).address, value: 1n, gas: 21_000n }
  for (let i = -3; i < Number(values.idle); i++) {
    const request = await wallet.prepareTransactionRequest({ ...target, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n })
    const raw = await wallet.signTransaction(request)
    await new Promise((next) => setTimeout(next, 700 + 37 * (Math.abs(i) % 7)))
    let begun = performance.now()
    const hash = await rpc(ports[0], 'eth_sendRawTransaction', raw)
    while ((await rpc(ports[0], 'eth_getTransactionReceipt', hash)) === null) await new Promise((next) => setTimeout(next, 2))
    if (i >= 0) own.push(performance.now() - begun)
    await new Promise((next) => setTimeout(next, 700 + 37 * (Math.abs(i) % 7)))
    begun = performance.now()
    await sends.sendTransaction(target).receipt
    if (i >= 0) tracked.push(performance.now() - begun)
  }
  await sends.close()
  const [a, b] = [median(own), median(tracked)]
  console.log(
    `  idle, p50: ${a.toFixed(1)} ms by two requests to one node, ${b.toFixed(1)} ms tracked: ${(b / a).toFixed(2)} times`,
  )
}

const directory = await mkdtemp(join(tmpdir(), 'quoin-sdk-'))
const devnet = await startDevnet({ directory, rpcPort: RPC_PORT, p2pPort: 36_656 })
try {
  console.log(`load average ${loadavg()[0].toFixed(1)}`)
  const address = await deploy()
  if (values.only.includes('idle')) await idle()
  if (values.only.includes('replay')) await replay(address)
  if (values.only.includes('live')) await live(address)
  console.log(`load average ${loadavg()[0].toFixed(1)}`)
} finally {
  closeRpc()
  await stopDevnet(devnet)
  await rm(directory, { recursive: true, force: true })
}
