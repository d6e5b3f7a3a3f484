import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CursorStore,
  cluster,
  merge,
  type Stream,
  type StreamedEvent,
  storedCursor,
  streamContractEvents,
  streamLogs,
} from '@quoin/sdk'
import { fileStore } from '@quoin/sdk/store/node'
import { type Address, createPublicClient, fallback, http } from 'viem'
import { WebSocket } from 'ws'
import { abi } from './counter-abi.ts'
import { BatchJournal, FileJournal, lineOf, type Noted } from './journal.ts'

/**
 * A program that reads events: `reader '<ReaderTask>'`. It prints `ready` when its position is fixed, `at <number>` for the newest event of the
 * first counter that it has written down, and ends when it has the last event of each counter that it follows.
 */
export interface ReaderTask {
  /**
   * `batches`, `logs`, `merge`, `filter`, `chunks` (a web stream): items and cursor in one commit. `items`, `split`: the SDK writes the cursor.
   * `logs` and `merge` follow both counters, `filter` every third event.
   */
  readonly kind: 'batches' | 'logs' | 'merge' | 'filter' | 'chunks' | 'items' | 'split'
  readonly transport: 'cluster' | 'fallback'
  readonly urls: readonly string[]
  readonly directory: string
  readonly counters: readonly [Address, Address]
  /** Number of the last event of each counter. */
  readonly last: readonly [number, number]
  readonly from: 'now' | 'beginning'
  /** Most items in a batch. */
  readonly maxSize: number
  /** The process kills itself when it has this event of the first counter: with an even number after it is written down, otherwise before. */
  readonly crashAt?: number | undefined
}

const task = JSON.parse(process.argv[2]!) as ReaderTask
const { kind, urls, directory, counters, last, maxSize } = task
const [first, second] = counters
const from = task.from === 'now' ? ('now' as const) : { block: 0n }
const client =
  task.transport === 'cluster'
    ? createPublicClient({ transport: cluster(urls, { webSocket: WebSocket }) })
    : createPublicClient({
        transport: fallback(
          urls.map((url) => http(url, { retryCount: 0, timeout: 6_500 })),
          { retryCount: 0 },
        ),
      })
const print = (line: string): void => void process.stdout.write(`${line}\n`)

const EVENTS = { abi, eventName: 'Counted' } as const
type Counted = StreamedEvent<typeof abi, 'Counted'>
const noted = ({ args, ...log }: Counted): Noted => ({ ...log, number: args.number })

/** Numbers that this reader has, by counter. */
const have = new Map<string, number>()
const isThird = (number: bigint): boolean => number % 3n === 0n
const goals = counters
  .map((address, i): [string, number] => [address.toLowerCase(), kind === 'filter' ? last[i]! - (last[i]! % 3) : last[i]!])
  .slice(0, kind === 'logs' || kind === 'merge' ? 2 : 1)
const isDone = (): boolean => goals.every(([address, goal]) => (have.get(address) ?? 0) >= goal)

function has(lines: readonly string[]): void {
  for (const line of lines) {
    const [address, number] = line.split(' ')
    have.set(address!, Number(number))
  }
}
/** `kill -9` at a point that no signal from outside would find. */
function crashIn(lines: readonly string[]): void {
  const { crashAt } = task
  if (crashAt === undefined) return
  const numbers = lines
    .map((line) => line.split(' '))
    .flatMap(([address, number]) => (address === first.toLowerCase() ? [Number(number)] : []))
  if (numbers.some((number) => number >= crashAt)) process.kill(process.pid, 'SIGKILL')
}
const crashesBefore = task.crashAt !== undefined && task.crashAt % 2 === 1
const tell = (): void => print(`at ${have.get(first.toLowerCase()) ?? 0}`)

function streamOf(after: string | undefined): Stream<Noted> {
  const one = (address: Address) => streamContractEvents(client, { ...EVENTS, address, from, after }).map(noted)
  if (kind === 'filter') return one(first).filter(({ number }) => isThird(number))
  if (kind === 'merge') return merge([one(first), one(second)], { from, after })
  if (kind !== 'logs') return one(first)
  return streamLogs(client, { address: counters, from, after }).map(({ topics, ...log }) => ({
    ...log,
    number: BigInt(topics[1]!),
  }))
}

async function readBatches(journal: BatchJournal): Promise<void> {
  print('ready')
  for await (const { items, cursor } of streamOf(await journal.cursor()).batches({ maxSize })) {
    const lines = items.map(lineOf)
    if (crashesBefore) crashIn(lines)
    await journal.commit(lines, cursor)
    crashIn(lines)
    has(lines)
    tell()
    if (isDone()) return
  }
}

/** Each chunk acknowledges itself; here every fourth does, and its position is committed with the items. */
async function readChunks(journal: BatchJournal): Promise<void> {
  const waiting: string[] = []
  const cursor: CursorStore = {
    read: () => journal.cursor(),
    write: (position) => journal.commit(waiting.splice(0), position),
  }
  print('ready')
  const stream = streamContractEvents(client, { ...EVENTS, address: first, from, cursor })
  for await (const { item, acknowledge } of stream.toReadableStream()) {
    const line = lineOf(noted(item))
    waiting.push(line)
    crashIn([line])
    has([line])
    if (waiting.length < maxSize && !isDone()) continue
    await acknowledge()
    tell()
    if (isDone()) return
  }
}

/** The SDK writes the position behind the items that were acknowledged. */
async function readItems(stream: Stream<Noted>, name: string, isEnd: (number: number) => boolean): Promise<void> {
  const journal = new FileJournal(directory, name)
  const lives = journal.lives
  has(lives.flat().slice(-1))
  tell()
  const newest = Number(lives.flat().at(-1)?.split(' ')[1] ?? 0)
  journal.beginLife()
  if (isEnd(newest)) return
  for await (const item of stream) {
    const line = lineOf(item)
    if (crashesBefore) crashIn([line])
    await journal.append(line)
    crashIn([line])
    has([line])
    if (item.number % 10n === 0n) tell()
    if (isEnd(Number(item.number))) return
  }
}

async function run(): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const folder = join(directory, 'store')
  if (kind !== 'items' && kind !== 'split') {
    const journal = await BatchJournal.open(folder)
    has(journal.lines)
    tell()
    if (!isDone()) await (kind === 'chunks' ? readChunks(journal) : readBatches(journal))
    return journal.close()
  }
  const store = await fileStore(folder)
  const isFixed = new Set<string>()
  const stored = (name: string): CursorStore => {
    const cursor = storedCursor(store, name)
    const write = async (position: string): Promise<void> => {
      await cursor.write(position)
      if (!isFixed.has(name)) print(isFixed.add(name).size === 1 ? 'ready' : `${name} is fixed`)
    }
    return { read: () => cursor.read(), write }
  }
  const events = { ...EVENTS, address: first, from }
  const end = last[0]
  if (kind === 'items') {
    const stream = streamContractEvents(client, { ...events, cursor: stored('items') }).map(noted)
    await readItems(stream, 'items', (number) => number >= end)
  } else {
    const cursors = { passing: stored('even'), others: stored('odd') }
    const isEven = ({ args }: Counted): boolean => args.number % 2n === 0n
    const [even, odd] = streamContractEvents(client, events).split(isEven, cursors)
    await Promise.all([
      readItems(even.map(noted), 'even', (number) => number >= end - (end % 2)),
      readItems(odd.map(noted), 'odd', (number) => number >= end - ((end + 1) % 2)),
    ])
  }
  await store.close()
}

await run()
const { transport } = client as { readonly transport: { close?(): void } }
transport.close?.()
print('done')
