import { rm } from 'node:fs/promises'
import { type DevNode, startDevNode } from '@quoin/cli/dev'
import { createPublicClient, decodeFunctionData, type Hex, http, parseEventLogs } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ORDER } from '../contracts/shared/states.ts'
import { accountOf, PEOPLE } from '../scripts/accounts.mjs'
import { setUp } from '../scripts/set-up.mjs'
import { bytesToName, ledgerAbi, nameToBytes, tokenAbi } from '../src/ledger.ts'
import { artifacts } from './artifacts.ts'
import { bundled, Child, temporaryDirectory } from './child.ts'
import { abandoned, nameOf, type Task, termsOf } from './scenario.ts'

const isLong = process.env['QUOIN_TEST_LONG'] !== undefined
const seed = Number(process.env['QUOIN_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const COUNT = isLong ? 200 : 20
const KILLS = isLong ? 20 : 4
const BLOCK_SECONDS = 1
/** Lines that a program prints of an order: placed, its steps, and what it saw. */
const LINES_PER_ORDER = 8

let node: DevNode
let directory: string
let program: string
let task: Task
const children: Child[] = []
const clientOf = () => createPublicClient({ chain: foundry, transport: http(node.url) })

beforeAll(async () => {
  node = await startDevNode({ port: 0, blockTimeMs: 50, complain: () => undefined })
  directory = await temporaryDirectory()
  program = await bundled(new URL('./program.ts', import.meta.url), directory)
  const { ledger, token, block } = await setUp(node.url, artifacts)
  await mineEvery(BLOCK_SECONDS)
  task = { url: node.url, directory: `${directory}/store`, ledger, token, block, count: COUNT }
})
afterAll(async () => {
  await Promise.all(children.map((child) => child.kill()))
  await node.close()
  await rm(directory, { recursive: true, force: true })
})

function start(): Child {
  const child = new Child(program, JSON.stringify(task))
  children.push(child)
  return child
}

/** Makes a block at this interval, in seconds; 0 makes none. */
const mineEvery = (seconds: number) => clientOf().request({ method: 'evm_setIntervalMining', params: [seconds] } as never)

const pending = async (): Promise<number> => {
  const status = await clientOf().request({ method: 'txpool_status' } as never)
  return Number((status as { readonly pending: string }).pending)
}

/** How often a program has looked at the chain, and handed over what follows. */
const looksOf = (lines: readonly string[]): number => lines.filter((line) => line === 'watching').length

/** All transactions to the ledger since its deployment, by function and order, with how each ended. */
async function calls(): Promise<ReadonlyMap<string, readonly string[]>> {
  const client = clientOf()
  const found = new Map<string, string[]>()
  const head = await client.getBlockNumber()
  for (let blockNumber = BigInt(task.block) + 1n; blockNumber <= head; blockNumber++) {
    const { transactions } = await client.getBlock({ blockNumber, includeTransactions: true })
    for (const { to, input, hash } of transactions) {
      if (to !== task.ledger.toLowerCase()) continue
      const { functionName, args } = decodeFunctionData({ abi: ledgerAbi, data: input })
      if (!['place', 'accept', 'ship', 'confirm', 'compensate'].includes(functionName)) continue
      const { status } = await client.getTransactionReceipt({ hash })
      const key = `${bytesToName(args![0] as Hex)} ${functionName}`
      found.set(key, [...(found.get(key) ?? []), status])
    }
  }
  return found
}

it(`a driver that is killed ${KILLS} times brings each order to its end exactly once, seed ${seed}`, {
  timeout: isLong ? 3_600_000 : 110_000,
}, async () => {
  let random = seed
  let child = start()
  for (let life = 0; life < KILLS; life++) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    // After a share of the work that is new in each life, from its first line on.
    const goal = child.lines.length + Math.floor(((random >>> 8) / 2 ** 24) * ((COUNT * LINES_PER_ORDER) / KILLS))
    await child.until((lines) => lines.length > goal)
    // Every other time it is killed when all that it has sent waits in the pool, where the next one must not send it again.
    const isHeld = life % 2 === 1
    if (isHeld) {
      await mineEvery(0)
      const looks = looksOf(child.lines)
      await child.until((lines) => looksOf(lines) > looks)
    }
    await child.kill()
    expect(child.errors).toBe('')
    console.log(`killed after ${child.lines.length} lines, ${await pending()} transactions in the pool`)
    child = start()
    if (!isHeld) continue
    await child.until((lines) => looksOf(lines) > 0)
    await mineEvery(BLOCK_SECONDS)
  }
  const last = child
  expect(await last.ended(), last.errors).toBe(0)
  expect(last.errors).toBe('')

  const numbers = Array.from({ length: COUNT }, (_, k) => k)
  const settled = numbers.filter((k) => abandoned(k) === undefined)
  // The totals are in the store since the first life: no event was counted twice or left out.
  const totals = last.lines.filter((line) => line.startsWith('totals'))
  expect(totals).toEqual([`totals ${settled.length} ${COUNT - settled.length}`])

  const client = clientOf()
  const ledger = { address: task.ledger, abi: ledgerAbi } as const
  const logs = parseEventLogs({
    abi: ledgerAbi,
    logs: await client.getLogs({ address: task.ledger, fromBlock: BigInt(task.block), toBlock: 'latest' }),
  })
  const made = await calls()
  for (const k of numbers) {
    const name = nameOf(k)
    const steps = ['accept', 'ship', 'confirm'].slice(0, ['accept', 'ship', 'confirm', undefined].indexOf(abandoned(k)))
    const expected = abandoned(k) === undefined ? ['place', ...steps] : ['place', ...steps, 'compensate']
    const keys = [...made.keys()].filter((key) => key.startsWith(`${name} `))
    expect(keys, name).toEqual(expected.map((step) => `${name} ${step}`))
    for (const key of keys) expect(made.get(key), key).toEqual(['success'])
    const seen = logs.filter(({ args }) => 'id' in args && args.id === nameToBytes(name)).map(({ eventName }) => eventName)
    const names = { place: 'Placed', accept: 'Accepted', ship: 'Shipped', confirm: 'Settled', compensate: 'Compensated' } as const
    expect(seen, name).toEqual(expected.map((step) => names[step as keyof typeof names]))
    const { state } = await client.readContract({ ...ledger, functionName: 'order', args: [nameToBytes(name)] })
    expect(state, name).toBe(abandoned(k) === undefined ? ORDER.SETTLED : ORDER.COMPENSATED)
  }
  // Every deposit is where it belongs, and the ledger holds nothing.
  const token = { address: task.token, abi: tokenAbi, functionName: 'balanceOf' } as const
  const paid = settled.reduce((sum, k) => sum + termsOf(k).deposit, 0n)
  const balances = [task.ledger, accountOf(PEOPLE.supplier).address, accountOf(PEOPLE.buyer).address] as const
  const shown = balances.map((account) => client.readContract({ ...token, args: [account] }))
  expect(await Promise.all(shown)).toEqual([0n, paid, 10_000_000n - paid])
})
