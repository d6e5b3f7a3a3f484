import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bundle, type Child, temporaryDirectory } from '../../packages/sdk/test/child.ts'
import { ROOT } from '../e2e/program.ts'
import { until } from '../e2e/watch.ts'
import { isLong } from '../long.ts'
import { abi, type Counter, counter } from './counter.ts'
import type { NodeProxy } from './proxy.ts'
import { stage } from './stage.ts'

const { nodes, direct, mine, url } = stage()
const quick = { intervalMs: 10 }
const PROGRAMS = ['quoin', 'viem', 'ethers'] as const
const ALL = [...PROGRAMS, 'viem-plain'] as const
type Name = (typeof ALL)[number]

const sourceOf = (name: Name): URL => new URL(`./comparison/${name}.ts`, import.meta.url)

let emitter: Counter
const bundles = new Map<Name, Bundle>()
const children: Child[] = []
const directories: string[] = []
beforeAll(async () => {
  emitter = await counter({ direct, url })
  for (const name of ALL) bundles.set(name, await Bundle.make(sourceOf(name)))
})
afterAll(async () => {
  await Promise.all(children.map((child) => child.end()))
  await Promise.all([...bundles.values()].map((bundle) => bundle.remove()))
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true })))
})

interface Run {
  readonly payee: Address
  start(): Child
}

/** A program with a database of its own, and an account that nobody else uses. */
async function prepare(name: Name, all: readonly NodeProxy[]): Promise<Run> {
  const directory = await temporaryDirectory()
  directories.push(directory)
  const key = generatePrivateKey()
  const payee = privateKeyToAccount(generatePrivateKey()).address
  await direct().request({ method: 'anvil_setBalance', params: [privateKeyToAccount(key).address, '0xde0b6b3a7640000'] } as never)
  const task = { urls: all.map((node) => node.url), directory, address: emitter.address, key, payee }
  return {
    payee,
    start() {
      const child = bundles.get(name)!.start([JSON.stringify(task)])
      children.push(child)
      return child
    },
  }
}

const rowsOf = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => line.startsWith('row ')).map((line) => line.slice(4))
const numbers = (count: bigint): readonly string[] => Array.from({ length: Number(count) }, (_, i) => String(i + 1))
const total = async (): Promise<bigint> =>
  direct().readContract({
    address: emitter.address,
    abi,
    functionName: 'total',
  })

describe.each(PROGRAMS)('the program with %s', (name) => {
  it('pays once and has each event once, though it is killed after the send and a node dies', { timeout: 60_000 }, async () => {
    const all = await nodes(3)
    const [first] = all as [NodeProxy]
    const run = await prepare(name, all)
    const sent = (): boolean => all.some((node) => node.count('eth_sendRawTransaction') > 0)
    const one = run.start()
    await emitter.emit(5)
    await until('the payment is sent', async () => sent(), quick)
    await one.end('SIGKILL')
    const seen = [...rowsOf(one.lines)]
    await first.stop()
    await emitter.emit(5)
    const two = run.start()
    await two.until('it is paid', (lines) => lines.some((line) => line.startsWith('paid ')))
    await emitter.emit(5)
    const count = await total()
    await until('all events', async () => seen.length + rowsOf(two.lines).length >= Number(count), quick)
    await two.end('SIGKILL')
    expect([...seen, ...rowsOf(two.lines)]).toEqual(numbers(count))
    expect(await direct().getBalance({ address: run.payee })).toBe(1n)
  })

  // What the others do is told by the long run: ethers once did not go on within two minutes.
  it.runIf(name === 'quoin' || isLong)('goes on when the node that it asks first freezes', { timeout: 120_000 }, async () => {
    const all = await nodes(3)
    const run = await prepare(name, all)
    const child = run.start()
    const before = await total()
    await child.until('it is at the head', (lines) => rowsOf(lines).length === Number(before))
    all[0]!.faults = { freeze: true }
    const began = performance.now()
    await emitter.emit(1)
    await child.until('the next event', (lines) => rowsOf(lines).length === Number(before) + 1)
    const seconds = (performance.now() - began) / 1_000
    console.log(`${name}: the event after a node froze came after ${seconds.toFixed(1)} s`)
    await child.end('SIGKILL')
  })
})

it('the plain program with viem pays twice, and loses events', { timeout: 60_000 }, async () => {
  const all = await nodes(3)
  const run = await prepare('viem-plain', all)
  // No block has the payment before the process is killed.
  await direct().request({ method: 'evm_setAutomine', params: [false] } as never)
  const one = run.start()
  await until('the payment is sent', async () => all.some((node) => node.count('eth_sendRawTransaction') > 0), quick)
  await one.end('SIGKILL')
  await direct().request({ method: 'evm_setAutomine', params: [true] } as never)
  await mine()
  const before = await total()
  await emitter.emit(5)
  const two = run.start()
  await two.until('it is paid', (lines) => lines.some((line) => line.startsWith('paid ')))
  await until('it listens', async () => all.some((node) => node.count('eth_getFilterChanges') > 0), quick)
  await emitter.emit(1)
  await two.until('an event', (lines) => rowsOf(lines).length > 0)
  await two.end('SIGKILL')
  expect(await direct().getBalance({ address: run.payee })).toBe(2n)
  expect(rowsOf(two.lines)[0]).toBe(String(before + 6n))
})

it('the page says how long the programs are', async () => {
  const page = await readFile(join(ROOT, 'docs', 'sdk', 'comparison.md'), 'utf8')
  for (const name of ALL) {
    const source = await readFile(sourceOf(name), 'utf8')
    const lines = source.split('\n').filter((line) => line.trim() !== '' && !/^\s*(\/\/|\/?\*)/.test(line))
    expect(page).toContain(`| [${name}](../../test/sdk/comparison/${name}.ts) | ${lines.length} |`)
  }
})
