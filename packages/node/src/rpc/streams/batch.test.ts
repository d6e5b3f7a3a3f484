import { type Address, bytesToHex, Hash, Height, type Log } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { appendBlock, type TestTransaction } from '../../../test/blocks.ts'
import { openTestNode, testAccounts } from '../../../test/chain.ts'
import { crypto, oneValidator } from '../../../test/fixture.ts'
import { raws } from '../../../test/log-chain.ts'
import { testBackend, testCall } from '../../../test/rpc.ts'
import { CallGivenUp } from '../call.ts'
import { DEFAULT_RPC_LIMITS } from '../limits.ts'
import { makeBatch } from './batch.ts'
import { blockSource } from './block-source.ts'
import { LogSource } from './log-source.ts'
import { beginningOf, type Position } from './position.ts'
import { ReceiptSource } from './receipt-source.ts'
import { type StreamSource, viewOf } from './source.ts'
import { ACCOUNT_WINDOW, TransactionSource } from './transaction-source.ts'

const address = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(20)}` as Address
const topic = (byte: number) => Hash(`0x${byte.toString(16).padStart(2, '0').repeat(32)}`)
const log = (byte: number): Log => ({ address: address(byte), topics: [topic(byte)], data: new Uint8Array(0) })
const hashes = raws.map((raw) => Hash(bytesToHex(crypto.keccak256(raw))))
const sender = testAccounts[0]!.address.toLowerCase() as Address

type Block = readonly Pick<TestTransaction, 'logs' | 'contractAddress'>[]

async function openChain(blocks: readonly Block[]) {
  const node = await openTestNode({ crypto, validators: oneValidator })
  let used = 0
  for (const block of blocks)
    await appendBlock(
      node,
      crypto,
      block.map((one) => ({ raw: raws[used++]!, ...one })),
    )
  const backend = testBackend(node, crypto)
  return { node, backend, ...testCall(backend) }
}
type Chain = Awaited<ReturnType<typeof openChain>>

const taskOf = ({ backend, call, shared }: Chain, source: StreamSource, from: Position) => ({
  ...{ genesis: shared.genesis(), view: viewOf(backend, shared.texts), source, from, turn: call },
  limits: DEFAULT_RPC_LIMITS,
  isOver: () => false,
})

/** Reads from a position to the head. */
async function read(chain: Chain, source: StreamSource, from: Position, limits: Partial<typeof DEFAULT_RPC_LIMITS> = {}) {
  const items: Readonly<Record<string, unknown>>[] = []
  let next = from
  for (let batches = 0; next.height <= chain.node.store.head.header.number; batches++) {
    const batch = await makeBatch({ ...taskOf(chain, source, next), limits: { ...DEFAULT_RPC_LIMITS, ...limits } })
    const { items: found } = JSON.parse(`{${batch.text}}`)
    expect(found).toHaveLength(batch.count)
    items.push(...found)
    next = batch.next
    if (batches > 1_000) throw new Error('no end')
  }
  return { items, next }
}

const BYTES = [1, 2, 3] as const
const someByte = fc.constantFrom(...BYTES)
const transaction = fc.record({
  logs: fc.array(someByte.map(log), { maxLength: 3 }),
  contractAddress: fc.option(someByte.map(address), { nil: undefined }),
})
const block: fc.Arbitrary<Block> = fc.array(transaction, { maxLength: 3 })
/** So many empty blocks that the indexes are asked. */
const GAP: readonly Block[] = Array.from({ length: 140 }, () => [])

interface Subject {
  readonly source: () => StreamSource
  /** Indexes of the wanted items of a block. The second parameter is the number of transactions before it. */
  readonly wanted: (content: Block, before: number) => readonly number[]
}

const indexesWhere = <T>(list: readonly T[], test: (one: T, index: number) => boolean): readonly number[] =>
  list.flatMap((one, index) => (test(one, index) ? [index] : []))

const named = [1, 4, 6]
const SUBJECTS: Readonly<Record<string, Subject>> = {
  blocks: { source: () => blockSource, wanted: () => [0] },
  'all logs': {
    source: () => new LogSource(crypto, { addresses: [], topics: [] }),
    wanted: (content) =>
      indexesWhere(
        content.flatMap(({ logs = [] }) => logs),
        () => true,
      ),
  },
  'logs of two addresses': {
    source: () => new LogSource(crypto, { addresses: [address(1), address(9)], topics: [] }),
    wanted: (content) =>
      indexesWhere(
        content.flatMap(({ logs = [] }) => logs),
        (one) => one.address === address(1),
      ),
  },
  'all transactions': { source: () => new TransactionSource([]), wanted: (content) => indexesWhere(content, () => true) },
  'transactions of two accounts': {
    source: () => new TransactionSource([address(2), address(3), address(2)]),
    wanted: (content) => indexesWhere(content, (one) => [address(2), address(3)].includes(one.contractAddress!)),
  },
  'all receipts': { source: () => new ReceiptSource([]), wanted: (content) => indexesWhere(content, () => true) },
  'receipts of hashes': {
    source: () => new ReceiptSource(named.map((i) => hashes[i]!)),
    wanted: (content, before) => indexesWhere(content, (_, index) => named.includes(before + index)),
  },
}

describe('batches', () => {
  it('that follow each other have the items after a position, from any position on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { minLength: 2, maxLength: 6 }),
        fc.nat(6),
        fc.integer({ min: 1, max: 4 }),
        async (content, gapAt, max) => {
          const blocks = [...content.slice(0, gapAt), ...GAP, ...content.slice(gapAt)]
          const chain = await openChain(blocks)
          for (const [name, { source, wanted }] of Object.entries(SUBJECTS)) {
            let before = 0
            const all: Position[] = name === 'blocks' ? [beginningOf(0)] : []
            for (const [i, one] of blocks.entries()) {
              all.push(...wanted(one, before).map((index) => ({ height: Height(i + 1), index })))
              before += one.length
            }
            const starts = [
              0,
              1,
              2,
              gapAt,
              gapAt + 1,
              gapAt + 20,
              blocks.length - 2,
              blocks.length - 1,
              blocks.length,
              blocks.length + 1,
            ]
            for (const start of new Set(starts)) {
              const { items, next } = await read(chain, source(), beginningOf(start), { streamItemsMax: max })
              const places = items.map(({ blockNumber, number, logIndex, transactionIndex }) => ({
                height: Number(blockNumber ?? number),
                index: Number(logIndex ?? transactionIndex ?? 0),
              }))
              expect(places, `${name} from ${start}`).toEqual(all.filter(({ height }) => height >= start))
              expect(next).toEqual(beginningOf(Math.max(start, blocks.length + 1)))
            }
            // A cursor never lies within a stream of blocks.
            for (const from of name === 'blocks' ? [] : all) {
              const after = { ...from, index: from.index + 1 }
              const { items } = await read(chain, source(), after, { streamItemsMax: max })
              expect(items).toHaveLength(all.length - all.indexOf(from) - 1)
            }
          }
        },
      ),
      { numRuns: 3 },
    )
  }, 60_000)

  it('have items of the eth methods, and say where they end', async () => {
    const chain = await openChain([[{ logs: [log(1), log(1)] }], [{ logs: [log(1)] }]])
    const source = SUBJECTS['logs of two addresses']!.source()
    const { text, next } = await makeBatch({
      ...taskOf(chain, source, beginningOf(0)),
      limits: { streamItemsMax: 1, streamBatchBytes: 1_000 },
    })
    const block = chain.node.store.header(Height(1))!
    const { header, hash } = chain.node.store.head
    expect(JSON.parse(`{${text}}`)).toEqual({
      cursor: expect.stringMatching(/^[\w-]{51}$/),
      ...{ height: 1, blockHash: block.hash, time: block.header.timeMs, isWithin: true },
      head: { height: 2, hash, time: header.timeMs },
      items: [expect.objectContaining({ address: address(1), logIndex: '0x0', blockNumber: '0x1', removed: false })],
    })
    expect(next).toEqual({ height: 1, index: 1 })
  })

  it('end with the item that reaches the size, or when their time is over', async () => {
    const chain = await openChain(Array.from({ length: 6 }, () => [{ logs: [log(1)] }]))
    const source = SUBJECTS['all logs']!.source()
    const task = taskOf(chain, source, beginningOf(0))
    const sizeOfOne = (await read(chain, source, beginningOf(6))).items.map((item) => JSON.stringify(item).length)[0]!
    expect((await makeBatch({ ...task, limits: { streamItemsMax: 500, streamBatchBytes: 2 * sizeOfOne } })).count).toBe(2)
    expect((await makeBatch({ ...task, limits: { streamItemsMax: 500, streamBatchBytes: 2 * sizeOfOne + 1 } })).count).toBe(3)
    let looks = 0
    const some = await makeBatch({ ...task, isOver: () => ++looks > 3 })
    expect([some.count, some.next.height]).toEqual([4, 5])
    // Over from the start, it still moves.
    expect((await makeBatch({ ...task, from: beginningOf(2), isOver: () => true })).next.height).toBe(3)
  })

  it('yield to others when the slice is used up, and end when nobody waits for them', async () => {
    const chain = await openChain(Array.from({ length: 9 }, () => [{ logs: [log(1)] }]))
    const { call, shared, clock, gone } = chain
    const bloom = vi.spyOn(chain.node.store, 'logsBloom').mockImplementation((height) => {
      clock.advance(DEFAULT_RPC_LIMITS.sliceMs / 2)
      return chain.node.store.header(height)?.header.logsBloom
    })
    const turns = vi.spyOn(shared.turns, 'next')
    const task = taskOf(chain, SUBJECTS['all logs']!.source(), beginningOf(1))
    await makeBatch(task)
    expect(turns.mock.calls.length).toBeGreaterThan(2)
    bloom.mockRestore()
    vi.spyOn(shared.turns, 'isOver').mockReturnValue(true)
    const making = makeBatch({ ...task, turn: call })
    gone.abort()
    await expect(making).rejects.toThrow(CallGivenUp)
  })

  it('of an account with many transactions shrink the range that is read at once', async () => {
    const chain = await openChain([[{ logs: [] }, { contractAddress: address(2) }], ...GAP, [{ logs: [] }]])
    const blocks = vi.spyOn(chain.node.index, 'accountBlocks')
    const source = new TransactionSource([sender, address(2)])
    blocks.mockImplementation(async function* (_, { from, to, limit }) {
      for (let height = from; height <= to && height < from + limit; height++)
        for (let i = 0; i < 1_000; i++) yield { height, positions: [0] }
    })
    const { items } = await read(chain, source, beginningOf(0))
    expect(source.windowBlocks).toBeLessThan(ACCOUNT_WINDOW.firstBlocks)
    blocks.mockRestore()
    expect(items).toEqual((await read(chain, source, beginningOf(0))).items)
    expect(items).toHaveLength(3)
  })
})
