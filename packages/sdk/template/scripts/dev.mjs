// `npm run dev`: a development chain, the contract on it, and the page, until ctrl-c. A change of contracts/ deploys anew.
// Settings: RPC_PORT (8545) and PORT (5173).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
const quoin = join(dirname(createRequire(import.meta.url).resolve('@quoin/cli/package.json')), 'bin', 'quoin.mjs')
const rpcPort = process.env.RPC_PORT ?? '8545'
/** An editor may write a file in several steps. */
const QUIET_MS = 100

/** Runs a Node.js program in the project. @returns its exit code */
async function run(args, env = {}) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  const [code] = await once(child, 'exit')
  return code
}

/** @returns whether the contracts are built and deployed. What is wrong has been printed */
async function deploy(rpcUrl) {
  if ((await run([quoin, 'build'])) !== 0) return false
  return (await run(['scripts/deploy.mjs'], { RPC_URL: rpcUrl })) === 0
}

/** Calls `act` after each change in a folder, one call at a time. @returns a function that ends it */
function onChange(folder, act) {
  let timer
  let running = Promise.resolve()
  const watcher = watch(folder, { recursive: true }, () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      running = running.then(act)
    }, QUIET_MS)
  })
  return async () => {
    watcher.close()
    clearTimeout(timer)
    await running
  }
}

const stopped = new Promise((stop) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop)
})

// The chain ends when the channel between the two processes closes, however this process ends.
const chain = spawn(process.execPath, [quoin, 'dev', '--port', rpcPort], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
})
const chainEnd = once(chain, 'exit')
const ready = await Promise.race([once(chain, 'message'), chainEnd.then(() => undefined)])
if (ready === undefined) {
  console.error(`The development chain did not start. If port ${rpcPort} is in use, set RPC_PORT to another one.`)
  process.exit(1)
}

const rpcUrl = `http://127.0.0.1:${ready[0].rpcPort}`
if (!(await deploy(rpcUrl))) console.error('The board is not deployed. Mend contracts/, and it is tried again.')
const endWatch = onChange(join(root, 'contracts'), () => deploy(rpcUrl))

// Vite gives variables that begin with VITE_ to the page.
process.env.VITE_RPC_URLS ??= rpcUrl
const vite = await createServer({ root, server: { port: Number(process.env.PORT ?? 5173) } })
await vite.listen()
console.log('\nThe page:')
vite.printUrls()

const isChainLost = await Promise.race([stopped.then(() => false), chainEnd.then(() => true)])
await endWatch()
await vite.close()
if (chain.connected) chain.disconnect()
await chainEnd
// A chain that ended by itself has said why.
process.exitCode = isChainLost ? 1 : 0
