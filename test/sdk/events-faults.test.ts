import { rm } from 'node:fs/promises'
import { type Address, createPublicClient } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { cluster, memoryStore, type TrackedSends, trackedSends } from '../../packages/sdk/src/index.ts'
import { Bundle, temporaryDirectory } from '../../packages/sdk/test/child.ts'
import { account, publicClient } from '../e2e/harness.ts'
import { isLong } from '../long.ts'
import { abi, counter } from './counter.ts'
import { EventReader, type ReaderSettings } from './event-readers.ts'
import { FaultyNetwork } from './faulty-network.ts'
import { lineOf } from './journal.ts'
import { chain } from './stage.ts'

const seed = Number(process.env['QUOIN_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const TURNS = isLong ? 100 : 8
const SENDS_A_TURN = isLong ? 20 : 12
/** Events of a send: of the first counter, and with every fourth send of the second one. */
const [EVENTS, OTHERS] = isLong ? [10, 5] : [20, 10]
const SENDS = TURNS * SENDS_A_TURN
const LAST: readonly [number, number] = [SENDS * EVENTS, (SENDS / 4) * OTHERS]
/** In these turns the chain stops for a while. */
const isHalt = (turn: number): boolean => turn % 20 === 3
/** In these turns every reader must have everything before the faults end. */
const isPatient = (turn: number): boolean => turn % 5 === 4

let faulty: FaultyNetwork
let program: Bundle
let directory: string
let readers: readonly EventReader[] = []
let senders: readonly TrackedSends[] = []
const closings: (() => void)[] = []

beforeAll(async () => {
  faulty = await FaultyNetwork.start(seed)
  program = await Bundle.make(new URL('./reader.ts', import.meta.url))
  directory = await temporaryDirectory()
})
afterAll(async () => {
  await Promise.all(senders.map((sends) => sends.close()))
  for (const close of closings) close()
  await Promise.all(readers.map((reader) => reader.kill()))
  await Promise.all([faulty?.close(), program?.remove(), rm(directory, { recursive: true, force: true })])
})

/** Ten readers; those with `isLate` start when half of the events are there. */
function readersOf(counters: readonly [Address, Address]): readonly { readonly reader: EventReader; readonly isLate: boolean }[] {
  const { proxies, urls } = faulty
  const [https, sockets] = [proxies.map(({ url }) => url), proxies.map(({ socketUrl }) => socketUrl)]
  const make = (name: string, settings: Partial<ReaderSettings> & { readonly kind: ReaderSettings['kind'] }, isLate = false) => {
    const whole = { transport: 'cluster', urls, counters, last: LAST, from: 'beginning', maxSize: 50, ...settings } as const
    return { reader: new EventReader(name, program, directory, whole), isLate }
  }
  return [
    make('batches-http', { kind: 'batches', urls: https }),
    make('batches-sockets', { kind: 'batches', urls: sockets, maxSize: 500 }),
    make('items-now', { kind: 'items', from: 'now' }),
    make('items-now-sockets', { kind: 'items', from: 'now', urls: sockets }),
    make('logs', { kind: 'logs', maxSize: 33 }),
    make('merge', { kind: 'merge', maxSize: 7 }),
    make('filter', { kind: 'filter' }),
    make('split', { kind: 'split', urls: https }),
    make('late', { kind: 'batches', maxSize: 7 }, true),
    make('chunks-fallback', { kind: 'chunks', transport: 'fallback', urls: https, maxSize: 4 }),
  ]
}

/** Sends that make the next events, one after another for each sender, through the faults. */
function emitterOf(counters: readonly [Address, Address]) {
  senders = [1, 2].map((index) => {
    const client = publicClientOf(faulty.urls)
    const sends = trackedSends({ client, account: account(index), store: memoryStore(), deadlineMs: 600_000 })
    return sends
  })
  let sent = 0
  const lane = async (sends: TrackedSends, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const isForBoth = sent++ % 4 === 3
      const call = (at: 0 | 1, events: number) =>
        sends.writeContract({ address: counters[at], abi, functionName: 'count', args: [BigInt(events)] }).receipt
      await Promise.all([call(0, EVENTS), ...(isForBoth ? [call(1, OTHERS)] : [])])
    }
  }
  return async (count: number): Promise<void> => {
    await Promise.all(senders.map((sends) => lane(sends, count / senders.length)))
  }
}

function publicClientOf(urls: readonly string[]) {
  const client = { chain, transport: cluster(urls, { webSocket: WebSocket }) }
  const made = createPublicClient(client)
  closings.push(() => made.transport.close())
  return made
}

/** The events of both counters, straight from a node: by counter, and in the order of the chain. */
async function eventsOfChain(addresses: readonly [Address, Address]) {
  const client = publicClient(faulty.network.validators[0]!.url)
  const head = await client.getBlockNumber()
  const merged: string[] = []
  for (let fromBlock = 0n; fromBlock <= head; fromBlock += 100n) {
    const toBlock = fromBlock + 99n < head ? fromBlock + 99n : head
    const logs = await client.getContractEvents({
      address: [...addresses],
      abi,
      eventName: 'Counted',
      strict: true,
      fromBlock,
      toBlock,
    })
    merged.push(...logs.map((log) => lineOf({ ...log, number: log.args.number })))
  }
  const events = new Map(
    addresses.map((address) => [address.toLowerCase(), merged.filter((line) => line.startsWith(address.toLowerCase()))]),
  )
  return { events, merged }
}

it(`${LAST[0]} events reach ten readers once and in order, seed ${seed}`, { timeout: isLong ? 7_200_000 : 600_000 }, async ({
  onTestFailed,
}) => {
  const { random } = faulty
  onTestFailed(() => console.error([...readers.map(({ report }) => report), ...faulty.turns].join('\n')))
  const node = faulty.network.validators[0]!
  const deploy = async () => (await counter({ direct: () => publicClient(node.url), url: () => node.url })).address
  const counters = [await deploy(), await deploy()] as const
  const all = readersOf(counters)
  readers = all.map(({ reader }) => reader)
  await Promise.all(all.filter(({ isLate }) => !isLate).map(({ reader }) => reader.start()))
  const emit = emitterOf(counters)

  const startedAt = performance.now()
  const started = () => readers.filter(({ isStarted }) => isStarted)
  const half = (SENDS_A_TURN / 2) * EVENTS
  /** One reader is killed, another one kills itself at one of the next events. */
  const part = async (number: number): Promise<void> => {
    const [one, other] = [random.pick(started()), random.pick(started())]
    if (!one.isCrashing) await one.killAndStart()
    if (!other.isCrashing) await other.killAndStart(number + random.between(1, half))
    await emit(SENDS_A_TURN / 2)
  }
  for (let turn = 0; turn < TURNS; turn++) {
    if (turn === TURNS / 2) await Promise.all(all.filter(({ isLate }) => isLate).map(({ reader }) => reader.start()))
    await faulty.beginTurn(isHalt(turn) ? 'halt' : 'ordinary')
    const number = turn * 2 * half
    const flow = part(number).then(() => part(number + half))
    // It may fail while the chain stands.
    void Promise.allSettled([flow])
    if (isHalt(turn)) {
      await faulty.requests(30)
      await faulty.endTurn()
    }
    await flow
    // A fallback of viem asks its first node again and again, so that it may wait for the end of the turn.
    const patient = started().filter(({ isCrashing, settings }) => !isCrashing && settings.transport === 'cluster')
    if (isPatient(turn)) await Promise.all(patient.map((reader) => reader.reaches(number + 2 * half)))
    await faulty.endTurn()
    await Promise.all(started().map((reader) => (reader.isCrashing ? reader.afterCrash() : undefined)))
  }
  await Promise.all(readers.map((reader) => reader.ended()))
  const seconds = Math.round((performance.now() - startedAt) / 1_000)

  const { events, merged } = await eventsOfChain(counters)
  for (const [i, address] of counters.entries()) {
    const numbers = events.get(address.toLowerCase())!.map((line) => Number(line.split(' ')[1]))
    expect(numbers).toEqual(Array.from({ length: LAST[i]! }, (_, at) => at + 1))
  }
  const outcome = []
  for (const reader of readers)
    outcome.push({ reader: reader.name, kills: reader.kills, again: await reader.check(events, merged) })
  if (isLong) console.info(JSON.stringify({ seed, seconds, injected: [...faulty.injected], outcome }))
  const agreed = await faulty.network.agreement()
  expect(agreed).toBeGreaterThan(0)
})
