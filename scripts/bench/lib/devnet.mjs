import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../devnet.mjs', import.meta.url))

/**
 * Starts a devnet of four processes and waits until all validators see each other.
 *
 * @param {{ directory: string, rpcPort: number, p2pPort: number, nodePath?: string, nodeArgs?: readonly string[], options?: readonly string[] }} options `options` are those of `npm run devnet`
 */
export async function startDevnet({ directory, rpcPort, p2pPort, nodePath = process.execPath, nodeArgs = [], options = [] }) {
  const args = ['--data-dir', directory, '--rpc-port', `${rpcPort}`, '--p2p-port', `${p2pPort}`, ...options]
  const child = spawn(nodePath, [...nodeArgs, SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (output.includes('validators 4/4')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`the devnet exited with code ${code}`)))
  })
  return child
}

/** Stops a devnet if it still runs, and waits for its end. */
export async function stopDevnet(child) {
  if (child.exitCode !== null) return
  child.kill('SIGINT')
  await once(child, 'exit')
}
