import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Address } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type CursorStore,
  CursorUnknownError,
  merge,
  streamBlocks,
  streamContractEvents,
  streamContractState,
  streamReceipts,
  streamTransactions,
  watchReadContract,
} from '../../packages/sdk/src/index.ts'
import { account } from '../e2e/harness.ts'
import { abi, type Counter, counter } from './counter.ts'
import { stage } from './stage.ts'

const { nodes, client, direct, url, mine } = stage()

let address: Address
let emit: Counter['emit']

beforeAll(async () => {
  const deployed = await counter({ direct, url })
  address = deployed.address
  emit = deployed.emit
})

const total = () => direct().readContract({ address, abi, functionName: 'total' })

const EVENTS = { abi, eventName: 'Counted', from: { block: 0n } } as const

/** Takes items until there are so many. */
async function take<T>(stream: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  for await (const item of stream) if (taken.push(item) === count) break
  return taken
}

const numbers = (from: number, to: number): bigint[] => Array.from({ length: to - from }, (_, i) => BigInt(from + i + 1))

describe('a stream of events', () => {
  it('gives past events and then each new one, once and in order, with arguments by the ABI', async () => {
    const [a, b] = await nodes(2)
    const before = Number(await total())
    await emit(600)
    const stream = streamContractEvents(client([a!.url, b!.socketUrl]), { ...EVENTS, address })
    const seen = take(stream, before + 610)
    await emit(10)
    expect((await seen).map(({ args }) => args.number)).toEqual(numbers(0, before + 610))
    const [first] = await take(stream, 1)
    expect(first).toMatchObject({ eventName: 'Counted', address: address.toLowerCase(), blockNumber: expect.any(BigInt) })
  })

  it('loses and repeats nothing while nodes fail in every way', async () => {
    const cluster = await nodes(3)
    const before = Number(await total())
    const stop = new AbortController()
    const stream = streamContractEvents(client(cluster.map((node) => node.url)), { ...EVENTS, address, signal: stop.signal })
    const seen: bigint[] = []
    const wanted = before + 400
    const reading = (async () => {
      for await (const { args } of stream) if (seen.push(args.number) === wanted) return
    })()
    const faults = [
      { drop: 'before' },
      { drop: 'after' },
      { freeze: true },
      { double: true },
      { status: 503 },
      { delayMs: 50 },
    ] as const
    for (let i = 0; i < 40; i++) {
      // One node works at a time, and another one from turn to turn.
      cluster.forEach((node, at) => Object.assign(node, { faults: at === i % 3 ? {} : faults[(i + at) % faults.length]! }))
      await emit(10)
    }
    cluster[0]!.faults = {}
    await reading
    expect(seen).toEqual(numbers(0, wanted))
  })

  it('continues exactly where a consumer committed its cursor, on any node', async () => {
    const [a, b] = await nodes(2)
    await emit(50)
    const count = Number(await total())
    const clients = [client([a!.url]), client([b!.socketUrl]), client([b!.url, a!.url])]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 200 })), { maxLength: 6 }), async (turns) => {
        const written: bigint[] = []
        let after: string | undefined
        for (const [at, maxSize] of [...turns, [0, 500] as const]) {
          const stream = streamContractEvents(clients[at]!, { ...EVENTS, address, after })
          const isLast = at === 0 && maxSize === 500
          for await (const { items, cursor } of stream.batches({ maxSize })) {
            written.push(...items.map(({ args }) => args.number))
            after = cursor
            if (!isLast || written.length === count) break
          }
          if (written.length === count) break
        }
        expect(written).toEqual(numbers(0, count))
      }),
      { numRuns: 15 },
    )
  })

  it('is refused by name with a cursor of a chain that was reset', async () => {
    const snapshot = await direct().request({ method: 'evm_snapshot' } as never)
    await emit(1)
    const stream = streamContractEvents(client([url()]), { ...EVENTS, address, from: 'now' })
    const reading = stream.batches()
    const waiting = reading.next()
    await emit(1)
    const { value } = await waiting
    await reading.return(undefined)
    await direct().request({ method: 'evm_revert', params: [snapshot] } as never)
    const again = streamContractEvents(client([url()]), { ...EVENTS, address, after: value!.cursor })
    await expect(take(again, 1)).rejects.toBeInstanceOf(CursorUnknownError)
    const restarted = streamContractEvents(client([url()]), {
      ...EVENTS,
      address,
      after: value!.cursor,
      onUnknownCursor: 'restart',
    })
    expect((await take(restarted, 1))[0]!.args.number).toBe(1n)
  })

  it('ends with its signal', async () => {
    const stop = new AbortController()
    const reading = take(streamContractEvents(client([url()]), { ...EVENTS, address, from: 'now', signal: stop.signal }), 1)
    setImmediate(() => stop.abort(new Error('enough')))
    await expect(reading).rejects.toThrow('enough')
  })
})

describe('other streams', () => {
  it('of blocks, transactions and receipts agree with the chain, and a merge has them in its order', async () => {
    const from = { block: BigInt((await mine()) + 1) }
    const sent = [await emit(1), await emit(2)]
    const me = account(0).address
    const one = client([url()])
    const merged = merge(
      [
        streamBlocks(one).map(({ number }) => `block ${number}`),
        streamTransactions(one, { accounts: [me] }).map(({ hash }) => `sent ${sent.indexOf(hash)}`),
        streamContractEvents(one, { ...EVENTS, address }).map(({ blockNumber }) => `event of ${blockNumber}`),
        streamReceipts(one, { hashes: sent }).map(({ transactionHash }) => `receipt ${sent.indexOf(transactionHash)}`),
      ],
      { from },
    )
    const [first, second] = [from.block, from.block + 1n]
    expect(await take(merged, 9)).toEqual([
      ...[`block ${first}`, 'sent 0', `event of ${first}`, 'receipt 0'],
      ...[`block ${second}`, 'sent 1', `event of ${second}`, `event of ${second}`, 'receipt 1'],
    ])
  })
})

describe('a watched read', () => {
  it('tells the newest value when it changes, at rising heights, and shares its calls', async () => {
    const [node] = await nodes(1)
    const reader = client([node!.url])
    const told: { value: bigint; blockNumber: bigint }[] = []
    const before = await total()
    let wake = (): void => {}
    const read = { address, abi, functionName: 'total' } as const
    const onData = (value: bigint, { blockNumber }: { readonly blockNumber: bigint }): void => {
      told.push({ value, blockNumber })
      wake()
    }
    const stops = [watchReadContract(reader, { ...read, onData }), watchReadContract(reader, { ...read, onData: () => {} })]
    const reaches = async (wanted: bigint) => {
      while (told.at(-1)?.value !== wanted) await new Promise<void>((resolve) => (wake = resolve))
    }
    await reaches(before)
    await emit(3)
    await reaches(before + 3n)
    await mine(2)
    await emit(1)
    await reaches(before + 4n)
    for (const stop of stops) stop()
    const heights = told.map(({ blockNumber }) => blockNumber)
    expect(heights).toEqual([...new Set(heights)].sort((a, b) => Number(a - b)))
    expect(new Set(told.map(({ value }) => value)).size).toBe(told.length)
    // One call for both watchers and each block, at most.
    const calls = node!.arrived.filter(({ method }) => method === 'eth_call').length
    expect(calls).toBeLessThanOrEqual(5)
  })

  it('begins anew after it has ended, also while an ended watch was not stopped', async () => {
    const [node] = await nodes(1)
    const one = client([node!.url])
    const read = { address, abi, functionName: 'total' } as const
    const refusal = { code: -32_601, message: 'no such method', data: { reason: 'method-not-found', scope: 'chain' } }
    node!.faults = { refuse: ({ method }) => (method === 'eth_call' ? refusal : undefined) }
    let stop = (): void => {}
    const ended = new Promise<Error>((resolve) => {
      stop = watchReadContract(one, { ...read, onData: () => {}, onError: resolve })
    })
    expect((await ended).message).toContain('has ended')
    node!.faults = {}
    expect((await take(streamContractState(one, read), 1))[0]!.value).toBe(await total())
    stop()
  })

  it('tells the others when one throws, and nobody who was stopped meanwhile', async () => {
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const uncaught: unknown[] = []
    process.on('uncaughtException', (error) => void uncaught.push(error))
    const one = client([url()])
    const read = { address, abi, functionName: 'total' } as const
    const stops: (() => void)[] = []
    try {
      const before = await total()
      const throws = (value: bigint): void => {
        if (value === before) return
        stops[1]!()
        throw new Error('the application failed')
      }
      stops.push(watchReadContract(one, { ...read, onData: throws }))
      stops.push(watchReadContract(one, { ...read, onData: (value) => expect(value).toBe(before) }))
      const reading = streamContractState(one, read)[Symbol.asyncIterator]()
      expect((await reading.next()).value!.value).toBe(before)
      await emit(1)
      expect((await reading.next()).value!.value).toBe(before + 1n)
      await reading.return(undefined)
      expect(uncaught).toEqual([new Error('the application failed')])
    } finally {
      for (const stop of stops) stop()
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
    }
  })
})

describe('a stream of state', () => {
  const TOTAL = { functionName: 'total' } as const
  const state = (options: object = {}) => ({ address, abi, ...TOTAL, ...options })

  it('gives the value at once, then only what changed, at rising heights', async () => {
    const before = await total()
    const reading = streamContractState(client([url()]), state())[Symbol.asyncIterator]()
    const first = (await reading.next()).value!
    expect(first).toEqual({ value: before, blockNumber: await direct().getBlockNumber() })
    await mine(3)
    await emit(2)
    const second = (await reading.next()).value!
    await reading.return(undefined)
    expect(second.value).toBe(before + 2n)
    expect(second.blockNumber).toBeGreaterThan(first.blockNumber + 3n)
  })

  it('tells a slow consumer the newest value alone', async () => {
    const before = await total()
    const [node] = await nodes(1)
    const reading = streamContractState(client([node!.url]), state())[Symbol.asyncIterator]()
    await reading.next()
    let last = 0n
    for (let i = 0; i < 12; i++) {
      await emit(1)
      last = await direct().getBlockNumber()
    }
    const values: bigint[] = []
    while (values.at(-1) !== before + 12n) values.push((await reading.next()).value!.value)
    await reading.return(undefined)
    expect(values).toEqual(values.toSorted((a, b) => Number(a - b)))
    expect(values.length).toBeLessThan(12)
    expect(await direct().getBlockNumber()).toBe(last)
  })

  it('goes on behind a cursor, with the value after the next block', async () => {
    const one = client([url()])
    const batches = streamContractState(one, state()).batches()
    const { cursor, items } = (await batches.next()).value!
    await batches.return(undefined)
    const waiting = take(streamContractState(one, state({ after: cursor })), 1)
    await emit(1)
    const [next] = await waiting
    expect(next!.blockNumber).toBeGreaterThan(items[0]!.blockNumber)
    expect(next!.value).toBe(items[0]!.value + 1n)
    const future = { block: next!.blockNumber + 2n }
    const later = take(streamContractState(one, state({ from: future })), 1)
    await mine(1)
    await mine(3)
    expect((await later)[0]!.blockNumber).toBeGreaterThanOrEqual(future.block)
  })

  it('does not end with a refusal of the contract before its position', async () => {
    const one = client([url()])
    const above = { address, abi, functionName: 'above', args: [(await total()) + 1n] } as const
    await new Promise((resolve) => {
      const stop = watchReadContract(one, { ...above, onData: () => stop(), onError: resolve })
    })
    const rounds = streamContractState(one, state()).batches({ includeEmpty: true })
    await rounds.next()
    await mine(1)
    await rounds.next()
    await emit(1)
    const from = { block: await direct().getBlockNumber() }
    expect((await take(streamContractState(one, { ...above, from }), 1))[0]!.value).toBe(0n)
    await rounds.return(undefined)
  })

  it('tells a value that waits for its consumer at a height of the chain after a reset', async () => {
    const one = direct()
    const reading = streamContractState(one, state({ onUnknownCursor: 'restart' }))[Symbol.asyncIterator]()
    const known = (await reading.next()).value!.value
    const other = streamContractState(one, state())[Symbol.asyncIterator]()
    await other.next()
    const snapshot = await direct().request({ method: 'evm_snapshot' } as never)
    await mine(5)
    await emit(1)
    expect((await other.next()).value!.value).toBe(known + 1n)
    await other.return(undefined)
    await direct().request({ method: 'evm_revert', params: [snapshot] } as never)
    await emit(1)
    const height = await direct().getBlockNumber()
    const rounds = streamContractState(one, state({ onUnknownCursor: 'restart' })).batches({ includeEmpty: true })
    for await (const { head } of rounds) if (head.number <= height) break
    const { value, blockNumber } = (await reading.next()).value!
    await reading.return(undefined)
    expect(value).toBe(known + 1n)
    expect(blockNumber).toBeLessThanOrEqual(height)
  })

  it('stands behind the events of its block in a merge', async () => {
    const one = client([url()])
    const before = await total()
    const merged = merge(
      [
        streamContractState(one, state()).map(({ value }) => `total ${value - before}`),
        streamContractEvents(one, { abi, eventName: 'Counted', address }).map(({ args }) => `event ${args.number - before}`),
      ],
      { from: 'now' },
    )
    const reading = merged[Symbol.asyncIterator]()
    expect((await reading.next()).value).toBe('total 0')
    await emit(2)
    const rest = [await reading.next(), await reading.next(), await reading.next()].map(({ value }) => value)
    await reading.return(undefined)
    expect(rest).toEqual(['event 1', 'event 2', 'total 2'])
  })

  it('ends with the refusal of the contract, the loss of the chain and its signal', async () => {
    const one = client([url()])
    const missing = { ...state(), address: account(8).address }
    await expect(take(streamContractState(one, missing), 1)).rejects.toThrow('total')
    const stop = new AbortController()
    const reading = streamContractState(one, state({ signal: stop.signal }))[Symbol.asyncIterator]()
    await reading.next()
    const waiting = reading.next()
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    const snapshot = await direct().request({ method: 'evm_snapshot' } as never)
    await emit(1)
    const lost = take(streamContractState(one, state()), 2)
    const survivor = streamContractState(one, state({ onUnknownCursor: 'restart' }))[Symbol.asyncIterator]()
    const { value: known } = await survivor.next()
    await direct().request({ method: 'evm_revert', params: [snapshot] } as never)
    await mine(1)
    await expect(lost).rejects.toBeInstanceOf(CursorUnknownError)
    expect((await survivor.next()).value!.value).toBe(known!.value - 1n)
    await survivor.return(undefined)
  })
})

describe('a position in a file', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quoin-cursor-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('lets a consumer go on behind the last acknowledged item', async () => {
    const file = join(folder, 'cursor')
    const cursor: CursorStore = {
      read: () => readFile(file, 'utf8').catch(() => undefined),
      write: (text) => writeFile(file, text),
    }
    await emit(5)
    const count = Number(await total())
    const seen: bigint[] = []
    for (const stopAt of [2, 3, count - 3]) {
      let taken = 0
      for await (const { args } of streamContractEvents(client([url()]), { ...EVENTS, address, cursor })) {
        // It comes again: it was not acknowledged.
        if (taken++ === stopAt) break
        seen.push(args.number)
        if (seen.length === count) break
      }
    }
    expect(seen).toEqual(numbers(0, count))
  })
})
