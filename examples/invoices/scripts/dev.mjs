// `npm run dev`: a development chain with the ledger on it, and the page, until ctrl-c. Settings: RPC_PORT (8545) and PORT (5173).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
const quoin = join(dirname(createRequire(import.meta.url).resolve('@quoin/cli/package.json')), 'bin', 'quoin.mjs')
const stopped = new Promise((stop) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop)
})

/** Runs a Node.js program to its end. */
async function run(args, env = {}) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${args.join(' ')} failed with exit code ${code}`)
}

// A block each second, so that deadlines pass. The chain ends when the channel between the two processes closes, however this process ends.
const chain = spawn(
  process.execPath,
  [quoin, 'dev', '--quiet', '--block-time', '1000', '--port', process.env.RPC_PORT ?? '8545'],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  },
)
const chainEnd = once(chain, 'exit')
const ready = await Promise.race([once(chain, 'message'), chainEnd.then(() => undefined)])
if (ready === undefined) process.exit(1)
let vite
try {
  await run([quoin, 'build'])
  await run(['scripts/deploy.mjs'], { RPC_URL: `http://127.0.0.1:${ready[0].rpcPort}` })
  vite = await createServer({ root, server: { port: Number(process.env.PORT ?? 5173) } })
  await vite.listen()
  console.log('\nThe page:')
  vite.printUrls()
  await Promise.race([stopped, chainEnd])
} finally {
  await vite?.close()
  if (chain.connected) chain.disconnect()
  await chainEnd
}
