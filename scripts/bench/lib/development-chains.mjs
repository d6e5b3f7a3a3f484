import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { ANVIL } from '../../../bench/foundry.mjs'
import { rpc } from './rpc.mjs'

/** Development chains in one process, Quoin's and Foundry's, with free gas, for load generators. */

const QUOIN = fileURLToPath(new URL('../../../packages/cli/bin/quoin.mjs', import.meta.url))
/** Linux reports CPU time of processes in hundredths of a second. */
const TICK_US = 10_000

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Waits until a node answers. */
async function answering(port, child) {
  while (child.exitCode === null) {
    const answer = await rpc(port, 'eth_chainId').catch(({ code }) => code)
    if (answer !== 'ECONNREFUSED') return
    await new Promise((next) => setTimeout(next, 10))
  }
  throw new Error(`the chain process exited with code ${child.exitCode}`)
}

async function start(name, command, args, port) {
  const started = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  await answering(port, child)
  return {
    name,
    port,
    startMs: performance.now() - started,
    /** CPU time so far in microseconds; undefined if the system does not tell. */
    cpuUs: () => {
      const file = `/proc/${child.pid}/stat`
      if (!existsSync(file)) return undefined
      const fields = readFileSync(file, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return TICK_US * (Number(fields[11]) + Number(fields[12]))
    },
    stop: async () => {
      if (child.exitCode !== null) return
      child.kill('SIGINT')
      await once(child, 'exit')
    },
  }
}

/**
 * @typedef {object} ChainOptions
 * @property {number} [blockTimeMs] block interval; undefined: a block with each transaction
 */

/** @param {ChainOptions} options */
export async function startQuoinDev({ blockTimeMs } = {}) {
  const port = await freePort()
  const interval = blockTimeMs === undefined ? [] : ['--block-time', `${blockTimeMs}`]
  return start('quoin dev', process.execPath, [QUOIN, 'dev', '--quiet', '--port', `${port}`, ...interval], port)
}

/** @param {ChainOptions & { blockGasMax?: number, hardfork: string }} options */
export async function startAnvil({ blockTimeMs, blockGasMax, hardfork }) {
  const port = await freePort()
  const interval = blockTimeMs === undefined ? [] : ['--block-time', `${blockTimeMs / 1000}`]
  const limit = blockGasMax === undefined ? [] : ['--gas-limit', `${blockGasMax}`]
  const free = ['--gas-price', '0', '--block-base-fee-per-gas', '0']
  return start('anvil', ANVIL, ['--quiet', '--port', `${port}`, '--hardfork', hardfork, ...free, ...interval, ...limit], port)
}
