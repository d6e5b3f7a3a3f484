import { type Address, bytesToHex, Hash, Height, type Log } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appendBlock, type TestTransaction } from '../../../test/blocks.ts'
import { openTestNode, type TestNode } from '../../../test/chain.ts'
import { ManualClock } from '../../../test/clock.ts'
import { crypto, oneValidator } from '../../../test/fixture.ts'
import { raws } from '../../../test/log-chain.ts'
import { serveTestNode, type TestRpc } from '../../../test/rpc.ts'
import { type ReceivedBatch, StreamSocket } from '../../../test/stream-client.ts'
import type { RpcLimits } from '../limits.ts'

/** A clock on which each look takes time: slices and searches end in the middle of their work. */
class TickingClock extends ManualClock {
  #looks = 0

  override monotonic(): number {
    return this.#looks++
  }
}

const address = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(20)}` as Address
const topic = (byte: number) => Hash(`0x${byte.toString(16).padStart(2, '0').repeat(32)}`)
const someAddress = fc.nat(2).map(address)
const someTopic = fc.nat(2).map(topic)

const log: fc.Arbitrary<Log> = fc.record({
  address: someAddress,
  topics: fc.array(someTopic, { maxLength: 2 }),
  data: fc.uint8Array({ maxLength: 20 }),
})
/** The receipt of a transaction. The contract that it created is the account that it concerns, besides its sender. */
const transaction = fc.record({
  logs: fc.array(log, { maxLength: 4 }),
  contractAddress: fc.option(someAddress, { nil: undefined }),
})
type Transaction = Pick<TestTransaction, 'logs' | 'contractAddress'>
type Block = readonly Transaction[]
const BLOCKS_MAX = 8
const block: fc.Arbitrary<Block> = fc.array(transaction, { maxLength: 4 })

/** Blocks without transactions: more than the index of logs, and of accounts, is asked for. */
const GAP = 150

type Filter = Readonly<Record<string, unknown>>
interface Subject {
  readonly stream: string
  readonly filter?: Filter
}

const hashes = raws.map((raw) => Hash(bytesToHex(crypto.keccak256(raw))))

const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.constant({ stream: 'blocks' }),
  fc
    .record(
      {
        address: fc.array(someAddress, { minLength: 1, maxLength: 2 }),
        topics: fc.array(fc.oneof(fc.constant(null), fc.array(someTopic, { minLength: 1, maxLength: 2 })), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    )
    .map((filter) => ({ stream: 'logs', filter })),
  fc.constant({ stream: 'transactions' }),
  fc.array(someAddress, { minLength: 1, maxLength: 2 }).map((accounts) => ({ stream: 'transactions', filter: { accounts } })),
  fc.constant({ stream: 'receipts' }),
  fc
    .uniqueArray(fc.nat(12), { minLength: 1, maxLength: 5 })
    .map((numbers) => ({ stream: 'receipts', filter: { hashes: numbers.map((i) => hashes[i]) } })),
)

/** Two nodes with the same chain. */
interface World {
  readonly nodes: readonly TestNode[]
  readonly rpcs: readonly TestRpc[]
  append(block: Block): Promise<void>
}

async function openWorld(limits: Partial<RpcLimits>): Promise<World> {
  const nodes = await Promise.all([0, 1].map(() => openTestNode({ crypto, validators: oneValidator })))
  const rpcs = await Promise.all(
    nodes.map((node, i) => serveTestNode(node, crypto, limits, i === 0 ? {} : { clock: new TickingClock() })),
  )
  let used = 0
  return {
    nodes,
    rpcs,
    async append(given) {
      const transactions = given.map((one) => ({ raw: raws[used++ % raws.length]!, ...one }))
      for (const node of nodes) await appendBlock(node, crypto, transactions)
    },
  }
}

const matchesLog = ({ address: addresses, topics = [] }: Filter, one: Log): boolean => {
  const positions = topics as readonly (readonly Hash[] | null)[]
  if (addresses !== undefined && !(addresses as readonly Address[]).includes(one.address)) return false
  return positions.length <= one.topics.length && positions.every((list, i) => list === null || list.includes(one.topics[i]!))
}

/** The wanted items of a block, made from what the test put into it and from the eth methods. */
async function itemsOf({ rpcs: [rpc], nodes: [node] }: World, content: Block, height: number, { stream, filter = {} }: Subject) {
  const result = async (name: string, ...params: unknown[]) => (await rpc!.call(name, ...params)).result
  if (stream === 'blocks') {
    const found = (await result('eth_getBlockByNumber', `0x${height.toString(16)}`, false)) as Filter
    const { size, totalDifficulty, transactions, uncles, ...header } = found
    expect([size, totalDifficulty, transactions, uncles]).not.toContain(undefined)
    return [header]
  }
  const items: unknown[] = []
  for (const [index, { logs = [], contractAddress }] of content.entries()) {
    const { hash } = node!.store.senders(Height(height))![index]!
    const receipt = (await result('eth_getTransactionReceipt', hash)) as { readonly logs: readonly unknown[] }
    if (stream === 'logs') items.push(...receipt.logs.filter((_, i) => matchesLog(filter, logs[i]!)))
    const accounts = filter['accounts'] as readonly Address[] | undefined
    if (stream === 'transactions' && (accounts?.includes(contractAddress!) ?? true))
      items.push(await result('eth_getTransactionByHash', hash))
    const hashes = filter['hashes'] as readonly Hash[] | undefined
    if (stream === 'receipts' && (hashes?.includes(hash) ?? true)) items.push(receipt)
  }
  return items
}

/** A client that stops and resumes. It knows how many items it had at each cursor that it received. */
class Reader {
  readonly #world: World
  readonly #subject: Subject
  #items: unknown[] = []
  readonly #cursors: { readonly cursor: string; readonly count: number }[] = []

  constructor(world: World, wanted: Subject) {
    this.#world = world
    this.#subject = wanted
  }

  get items(): readonly unknown[] {
    return this.#items
  }

  #take({ items, cursor, height, blockHash, time, head }: ReceivedBatch): void {
    this.#items.push(...items)
    this.#cursors.push({ cursor, count: this.#items.length })
    const { header, hash } = this.#world.nodes[0]!.store.header(Height(height))!
    expect([blockHash, time]).toEqual([hash, header.timeMs])
    expect(head.height).toBe(this.#world.nodes[0]!.store.head.header.number)
  }

  /** The last cursor, or an earlier one: then it forgets the items after it. */
  #from(choice: number | undefined): object {
    if (this.#cursors.length === 0) return { block: 0 }
    const at = (choice ?? this.#cursors.length - 1) % this.#cursors.length
    const { cursor, count } = this.#cursors[at]!
    this.#items = this.#items.slice(0, count)
    this.#cursors.splice(at + 1)
    return { cursor }
  }

  async poll(node: number, choice: number | undefined, count: number): Promise<void> {
    const rpc = this.#world.rpcs[node]!
    for (let from = this.#from(choice), i = 0; i < count; i++, from = { cursor: this.#cursors.at(-1)!.cursor }) {
      const { result, error } = await rpc.call('quoin_getStream', { ...this.#subject, from })
      expect(error).toBeUndefined()
      this.#take(result as ReceivedBatch)
    }
  }

  /** Reads a number of batches over a WebSocket, or until nothing is left. */
  async subscribe(node: number, choice: number | undefined, count: number, total: number, windowMax: number): Promise<void> {
    const socket = await StreamSocket.open(this.#world.rpcs[node]!.socketUrl)
    const id = await socket.request('quoin_subscribe', { ...this.#subject, from: this.#from(choice) })
    for (let i = 1; i <= count && this.#items.length < total; i++) {
      const batch = await socket.nextBatch()
      expect(batch.sequence).toBe(i)
      this.#take(batch)
      if (i % windowMax === 0) await socket.request('quoin_acknowledge', id, i)
    }
    await socket.close()
  }
}

const step = fc.record({
  kind: fc.constantFrom('poll', 'subscribe', 'append'),
  node: fc.nat(1),
  /** Mostly the last cursor. */
  choice: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(50) }),
  count: fc.integer({ min: 1, max: 5 }),
})

describe('streams', () => {
  it('deliver every matching item once and in order, wherever and on whichever node they resume', async () => {
    const someLimits = fc.record({
      streamItemsMax: fc.integer({ min: 1, max: 5 }),
      streamBatchBytes: fc.integer({ min: 300, max: 6_000 }),
      streamWindowMax: fc.integer({ min: 1, max: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { minLength: 3, maxLength: BLOCKS_MAX }),
        fc.nat(BLOCKS_MAX),
        fc.array(subject, { minLength: 3, maxLength: 3 }),
        fc.array(step, { minLength: 4, maxLength: 14 }),
        someLimits,
        async (content, gapAt, subjects, steps, limits) => {
          const gap: Block[] = Array.from({ length: GAP }, () => [])
          const blocks = [...content.slice(0, gapAt), ...gap, ...content.slice(gapAt)]
          const world = await openWorld(limits)
          const clients = subjects.map((one) => ({ subject: one, reader: new Reader(world, one), expected: [] as unknown[] }))
          const known = async (from: number, to: number) => {
            for (let height = from; height <= to; height++) {
              if (height > 0) await world.append(blocks[height - 1]!)
              const at = height === 0 ? [] : blocks[height - 1]!
              for (const client of clients) client.expected.push(...(await itemsOf(world, at, height, client.subject)))
            }
          }
          let head = blocks.length - 2
          await known(0, head)
          for (const { kind, node, choice, count } of steps) {
            if (kind === 'append' && head < blocks.length) await known(++head, head)
            for (const { reader, expected } of clients) {
              if (kind === 'poll') await reader.poll(node, choice, count)
              if (kind === 'subscribe') await reader.subscribe(node, choice, count, expected.length, limits.streamWindowMax)
            }
          }
          await known(head + 1, blocks.length)
          for (const { reader, expected } of clients) {
            for (let i = 0; i < 100 && reader.items.length < expected.length; i++) await reader.poll(0, undefined, 10)
            await reader.poll(1, undefined, 3)
            expect(reader.items).toEqual(expected)
          }
          await Promise.all(world.rpcs.map(({ server }) => server.close()))
        },
      ),
      { numRuns: 5 },
    )
  }, 120_000)
})
