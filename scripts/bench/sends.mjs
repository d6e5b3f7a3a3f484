// Tracked sends per second of one key, beside viem with its nonce manager, with 64 under way.
//   node scripts/bench/sends.mjs [--count N] [--block-time MS]
// Each send is a transfer that waits for its receipt. The chain is `quoin dev` in a process of its own. Run `npm run build` first.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createClient, createNonceManager, createPublicClient, createWalletClient, http } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { jsonRpc } from 'viem/nonce'
import { DEVELOPMENT_MNEMONIC } from '../../packages/platform/dist/index.js'
import { memoryStore, trackedSends } from '../../packages/sdk/dist/index.js'
import { fileStore } from '../../packages/sdk/dist/store/node.js'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000' }, 'block-time': { type: 'string', default: '100' } },
})
const COUNT = Number(values.count)
const UNDER_WAY = 64
const SINK = '0x00000000000000000000000000000000dead0001'

const node = fork(
  fileURLToPath(new URL('../../packages/cli/bin/quoin.mjs', import.meta.url)),
  ['dev', '--port', '0', '--quiet', '--block-time', values['block-time']],
  { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
)
const [{ rpcPort }] = await once(node, 'message')
const url = `http://127.0.0.1:${rpcPort}`
const directory = await mkdtemp(join(tmpdir(), 'quoin-bench-'))

/** Runs `send` so many times, 64 at a time. */
async function measure(name, send) {
  await send(0n)
  const begun = performance.now()
  let next = 1
  const lane = async () => {
    while (next <= COUNT) await send(BigInt(next++))
  }
  await Promise.all(Array.from({ length: UNDER_WAY }, lane))
  const seconds = (performance.now() - begun) / 1_000
  console.log(`${name.padEnd(28)} ${(COUNT / seconds).toFixed(0).padStart(6)} sends/s`)
}

const account = (addressIndex, options) => mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex, ...options })
const transport = http(url)

try {
  console.log(`${COUNT} sends each, ${UNDER_WAY} under way; load of the machine ${loadavg()[0].toFixed(1)}`)
  const nonceManager = createNonceManager({ source: jsonRpc() })
  const wallet = createWalletClient({ account: account(0, { nonceManager }), chain: foundry, transport })
  const reader = createPublicClient({ chain: foundry, transport, pollingInterval: 100 })
  await measure('viem, nonce manager', async (value) => {
    const hash = await wallet.sendTransaction({ to: SINK, value, gas: 50_000n })
    await reader.waitForTransactionReceipt({ hash })
  })
  for (const [name, store, index] of [
    ['tracked, memory', memoryStore(), 1],
    ['tracked, files', await fileStore(directory), 2],
  ]) {
    const client = createClient({ chain: foundry, transport })
    const sends = trackedSends({ client, account: account(index), store })
    await measure(name, (value) => sends.sendTransaction({ to: SINK, value, gas: 50_000n }).receipt)
    await sends.close()
    await store.close()
  }
} finally {
  node.kill('SIGINT')
  await once(node, 'exit')
  await rm(directory, { recursive: true })
}
