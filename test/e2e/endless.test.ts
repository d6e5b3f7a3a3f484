import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Gas } from '@quoin/protocol'
import { type Hex, keccak256 } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WATCHDOG_LIMITS, workMsMax } from '../../packages/node/src/executor/watchdog.ts'
import { SHUTDOWN_LIMITS } from '../../packages/node/src/validator/shutdown.ts'
import { account, FAST, Network, type Validator, walletClient } from './harness.ts'
import { until } from './watch.ts'

/** So small that a call of the execution worker gets only the minimum time. */
const BLOCK_GAS = 4_000_000
const PRELOAD = fileURLToPath(new URL('./endless.mjs', import.meta.url))
/** Calldata that `endless.mjs` treats as a call that never ends. */
const ENDLESS_CALL = '0xe4d1e55e'

let network: Network
/** Contains a file for each transaction that never ends. */
let directory: string

const startAll = async (): Promise<void> => {
  const env = { NODE_OPTIONS: `--import ${PRELOAD}`, QUOIN_TEST_ENDLESS: directory, QUOIN_RPC_CALL_MS: '600000' }
  await Promise.all(network.validators.map((validator) => validator.start({ env })))
}

beforeAll(async () => {
  network = await Network.create({
    parameters: { ...FAST, blockGasMax: Gas(BLOCK_GAS), transactionGasMax: Gas(BLOCK_GAS / 4) },
  })
  directory = join(network.directory, 'endless')
  await mkdir(directory)
  await startAll()
  await network.advance(2)
})
afterAll(() => network.close())

/** Sends a transfer that no thread of the network can finish. */
async function sendEndless(from: number): Promise<Hex> {
  const client = walletClient(network.validators[0]!.url, from)
  const request = await client.prepareTransactionRequest({ to: account(9).address, value: 1n, gas: 21_000n })
  const serializedTransaction = await client.signTransaction(request)
  const hash = keccak256(serializedTransaction)
  await writeFile(join(directory, hash), '')
  await client.sendRawTransaction({ serializedTransaction })
  return hash
}

/** Threads that a node's executor has lost. */
const losses = ({ log }: Validator): number => log.split('"the execution worker is lost').length - 1

describe('a transaction that never ends', () => {
  it('costs the network some seconds and no block: all other transactions go on, and no node halts', async () => {
    expect(workMsMax(BLOCK_GAS, 0)).toBe(WATCHDOG_LIMITS.workMsMin)
    const endless = await sendEndless(1)
    const hash = await walletClient(network.validators[1]!.url, 2).sendTransaction({ to: account(9).address, value: 1n })
    const receipts = await network.receipts(hash)
    expect(new Set(receipts.map(({ blockHash }) => blockHash)).size).toBe(1)
    await network.advance(3)
    for (const { log } of network.validators) expect(log).not.toMatch(/the node cannot continue/)
    expect(Math.max(...network.validators.map(losses))).toBeGreaterThanOrEqual(2)
    const request = { method: 'eth_getTransactionReceipt', params: [endless] as [Hex] } as const
    for (const { client } of network.validators) expect(await client.request(request)).toBe(null)
    await network.agreement()
  })

  it('does not keep a process from ending within 5 s, nor does a call that never ends; and nothing is lost', async () => {
    const height = await network.advance(1)
    const before = network.validators.map(({ log }) => log.length)
    const calls = network.validators.map(({ client }) => client.call({ data: ENDLESS_CALL, to: account(9).address }))
    const ended = Promise.allSettled(calls)
    await sendEndless(3)
    // The first of them has lost one thread to it, and is at the next one.
    await until(
      'a validator is held up',
      async () => network.validators.some(({ log }, i) => /its call of \w+ took longer/.test(log.slice(before[i]))),
      { report: () => network.report() },
    )
    const ends = await Promise.all(
      network.validators.map(async (validator) => {
        const started = performance.now()
        const exit = await validator.stop()
        return { exit, ms: performance.now() - started }
      }),
    )
    for (const { exit, ms } of ends) {
      expect(exit).toEqual({ code: 0, signal: null })
      expect(ms).toBeLessThan(SHUTDOWN_LIMITS.totalMs)
      // Longer than a stop without running work takes: the endless work held it up until it was terminated.
      expect(ms).toBeGreaterThan(SHUTDOWN_LIMITS.gracefulMs / 2)
    }
    await ended
    for (const { log } of network.validators) expect(log).not.toMatch(/the node cannot continue/)
    await startAll()
    await network.reach(height + 2)
    await network.agreement()
  })
})
