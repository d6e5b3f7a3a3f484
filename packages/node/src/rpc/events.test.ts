import { once } from 'node:events'
import { type Address, Hash, hexToBytes, type Log } from '@quoin/protocol'
import { Contract, JsonRpcProvider, WebSocketProvider } from 'ethers'
import {
  createPublicClient,
  createWalletClient,
  custom,
  decodeErrorResult,
  type EIP1193RequestFn,
  encodeAbiParameters,
  encodeErrorResult,
  encodeEventTopics,
  getContractAddress,
  type Hex,
  http,
  numberToHex,
  pad,
  parseAbi,
  publicActions,
  stringToHex,
  webSocket,
  zeroAddress,
} from 'viem'
import { foundry } from 'viem/chains'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { readContract } from '../../../../test/contracts/contract.mjs'
import { appendBlock, type TestTransaction } from '../../test/blocks.ts'
import { type TestNode, testAccounts } from '../../test/chain.ts'
import { crypto } from '../../test/fixture.ts'
import { type LogChain, openLogChain } from '../../test/log-chain.ts'
import { serveTestNode, type TestAnswer, type TestRpc } from '../../test/rpc.ts'

const abi = parseAbi([
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event Paused(string reason)',
  'error InsufficientBalance(uint256 have, uint256 need)',
])
const token = `0x${'c0'.repeat(20)}` as Address
const other = `0x${'c1'.repeat(20)}` as Address
const [alice, bob] = testAccounts.map(({ address }) => address) as [Hex, Hex]

const transfer = (value: bigint, to: Hex = bob, address = token): Log => ({
  address,
  topics: encodeEventTopics({ abi, eventName: 'Transfer', args: { from: alice, to } }).map((topic) => Hash(topic as Hex)),
  data: hexToBytes(encodeAbiParameters([{ type: 'uint256' }], [value])),
})
const paused = (reason: string): Log => ({
  address: token,
  topics: encodeEventTopics({ abi, eventName: 'Paused' }).map((topic) => Hash(topic as Hex)),
  data: hexToBytes(encodeAbiParameters([{ type: 'string' }], [reason])),
})

let node: TestNode
let rpc: TestRpc
let append: LogChain['append']

beforeEach(async () => {
  const chain = await openLogChain()
  node = chain.node
  rpc = chain.rpc
  append = chain.append
})
afterEach(() => rpc.server.close())

const viemClient = () => createPublicClient({ chain: foundry, transport: http(rpc.url) })
const ethersProvider = () => new JsonRpcProvider(rpc.url, 31_337, { staticNetwork: true, pollingInterval: 20 })

/** Collects items until there are enough. */
function collector<T>(count: number) {
  const items: T[] = []
  let done: (items: readonly T[]) => void = () => undefined
  const all = new Promise<readonly T[]>((resolve) => {
    done = resolve
  })
  return {
    all,
    add(...more: readonly T[]) {
      items.push(...more)
      if (items.length >= count) done(items)
    },
  }
}

describe('stock viem', () => {
  it('gets logs, decoded, by contract, event, arguments and block', async () => {
    await append([transfer(1n), paused('tea')], [transfer(2n, alice)])
    const { hash: blockHash } = await append([transfer(3n), transfer(4n, bob, other)])
    const client = viemClient()
    const found = await client.getContractEvents({ abi, address: token, eventName: 'Transfer', fromBlock: 'earliest' })
    expect(
      found.map(({ args, logIndex, transactionIndex, blockNumber }) => [args.value, logIndex, transactionIndex, blockNumber]),
    ).toEqual([
      [1n, 0, 0, 1n],
      [2n, 2, 1, 1n],
      [3n, 0, 0, 2n],
    ])
    expect(found[2]).toMatchObject({ blockHash, removed: false, address: token, args: { from: alice, to: bob } })
    expect(found[2]?.blockTimestamp).toBe((await client.getBlock({ blockHash })).timestamp)
    const event = abi[0]
    const valuesOf = async (query: object) => (await client.getLogs({ event, ...query })).map(({ args }) => args.value)
    expect(await valuesOf({ args: { to: [alice, token] }, fromBlock: 0n })).toEqual([2n])
    expect(await valuesOf({ args: { from: alice }, blockHash })).toEqual([3n, 4n])
    expect(await valuesOf({ address: [other, token], fromBlock: 2n, toBlock: 2n })).toEqual([3n, 4n])
    expect(await client.getLogs({ events: [abi[0], abi[1]], fromBlock: 1n, toBlock: 1n })).toHaveLength(3)
  })

  it('installs filters and polls them', async () => {
    const client = viemClient()
    const filter = await client.createContractEventFilter({ abi, eventName: 'Transfer', args: { to: bob }, fromBlock: 1n })
    const blocks = await client.createBlockFilter()
    const pending = await client.createPendingTransactionFilter()
    const { hash } = await append([transfer(1n), transfer(2n, alice)], [transfer(3n)])
    expect((await client.getFilterChanges({ filter })).map(({ args }) => args.value)).toEqual([1n, 3n])
    expect(await client.getFilterChanges({ filter })).toEqual([])
    expect((await client.getFilterLogs({ filter })).map(({ args }) => args.value)).toEqual([1n, 3n])
    expect(await client.getFilterChanges({ filter: blocks })).toEqual([hash])
    expect(await client.getFilterChanges({ filter: pending })).toEqual([])
    expect(await client.uninstallFilter({ filter })).toBe(true)
    await expect(client.getFilterChanges({ filter })).rejects.toThrow('filter not found')
  })

  it('watches an event by polling, and installs its filter again when the node has forgotten it', async () => {
    const before = collector<bigint | undefined>(2)
    const after = collector<bigint | undefined>(1)
    let seen = before
    let installed = 0
    let onInstalled: (() => void) | undefined
    const plain = http(rpc.url)({ chain: foundry, retryCount: 0 })
    const request = (async (args: { readonly method: string }) => {
      const result = await plain.request(args as never)
      if (args.method === 'eth_newFilter') {
        installed++
        onInstalled?.()
      }
      return result
    }) as EIP1193RequestFn
    const isInstalled = () =>
      new Promise<void>((resolve) => {
        onInstalled = resolve
      })
    const client = createPublicClient({ chain: foundry, transport: custom({ request }) })
    const first = isInstalled()
    const stop = client.watchContractEvent({
      ...{ abi, address: token, eventName: 'Transfer', poll: true, pollingInterval: 10 },
      onLogs: (logs) => seen.add(...logs.map(({ args }) => args.value)),
    })
    await first
    await append([transfer(1n), paused('no')], [transfer(2n)])
    expect(await before.all).toEqual([1n, 2n])
    // Long after the last poll, by the node's clock.
    seen = after
    const second = isInstalled()
    rpc.clock.advance(600_000)
    await second
    await append([transfer(3n)])
    expect(await after.all).toEqual([3n])
    expect(installed).toBe(2)
    stop()
  })

  it('watches events over WebSocket, each once, in order', async () => {
    const transport = webSocket(rpc.socketUrl, { reconnect: false })
    const client = createPublicClient({ chain: foundry, transport })
    expect(await client.getChainId()).toBe(31_337)
    const transfers = collector<bigint | undefined>(4)
    const all = collector<string>(6)
    client.watchContractEvent({
      ...{ abi, address: token, eventName: 'Transfer', args: { to: bob } },
      onLogs: (logs) => transfers.add(...logs.map(({ args }) => args.value)),
    })
    client.watchEvent({ onLogs: (logs) => all.add(...logs.map(({ blockNumber, logIndex }) => `${blockNumber}.${logIndex}`)) })
    // A response on the same socket shows that the earlier subscriptions are active.
    await client.getBlockNumber()
    await append([transfer(1n), paused('x')], [transfer(2n)])
    await append([])
    await append([transfer(3n), transfer(4n)])
    await append([transfer(5n, alice)])
    expect(await transfers.all).toEqual([1n, 2n, 3n, 4n])
    expect(await all.all).toEqual(['1.0', '1.1', '1.2', '3.0', '3.1', '4.0'])
    const { socket } = await client.transport.getRpcClient()
    socket.close()
  })
})

describe('stock ethers', () => {
  const contract = (provider: JsonRpcProvider | WebSocketProvider) =>
    new Contract(token, ['event Transfer(address indexed from, address indexed to, uint256 value)'], provider)

  it('gets logs and queries events', async () => {
    const provider = ethersProvider()
    await append([transfer(1n), transfer(2n, alice)])
    const logs = await provider.getLogs({ address: token, fromBlock: 0, toBlock: 'latest' })
    expect(logs.map(({ index, blockNumber, removed }) => [index, blockNumber, removed])).toEqual([
      [0, 1, false],
      [1, 1, false],
    ])
    const found = await contract(provider).queryFilter(contract(provider).filters.Transfer!(null, alice), 0)
    expect(found.map((log) => 'args' in log && log.args.value)).toEqual([2n])
    provider.destroy()
  })

  it('listens to events, through a filter and over WebSocket', async () => {
    const polled = ethersProvider()
    const pushed = new WebSocketProvider(rpc.socketUrl, 31_337, { staticNetwork: true })
    const seen = collector<string>(4)
    await contract(pushed).on('Transfer', (_from, _to, value) => seen.add(`pushed ${value}`))
    expect(await pushed.getBlockNumber()).toBe(0)
    const isPolling = new Promise<void>((resolve) => {
      void polled.on('debug', ({ action, result }) => {
        const answers = action === 'receiveRpcResult' ? (result as readonly { readonly result?: unknown }[]) : []
        if (answers.some((answer) => answer.result === '0x0')) resolve()
      })
    })
    await contract(polled).on('Transfer', (_from, _to, value) => seen.add(`polled ${value}`))
    // ethers polls at each block after the first one that it sees: its filter is installed before it reads that block.
    await isPolling
    await append([transfer(1n), transfer(2n)])
    expect([...(await seen.all)].sort()).toEqual(['polled 1', 'polled 2', 'pushed 1', 'pushed 2'])
    polled.destroy()
    await pushed.destroy()
  })
})

describe('a log subscription', () => {
  /** Opens a separate connection, because viem shares connections to the same URL. */
  async function open() {
    const socket = new WebSocket(rpc.socketUrl)
    const answers = new Map<number, (answer: TestAnswer) => void>()
    socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as TestAnswer & { readonly id?: number }
      if (answer.id !== undefined) answers.get(answer.id)?.(answer)
    })
    await once(socket, 'open')
    return { socket, answers, close: () => socket.close() }
  }
  type Opened = Awaited<ReturnType<typeof open>>
  let lastId = 0
  const ask = ({ socket, answers }: Opened, method: string, ...params: unknown[]) =>
    new Promise<TestAnswer>((resolve) => {
      answers.set(++lastId, resolve)
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params }))
    })

  it.each([
    [['logs', { address: '0x12' }], -32602, /param 1: address must be/],
    [['logs', { topics: [null, null, null, null, null] }], -32602, /param 1: topics/],
    [['logs', true], -32602, /param 1/],
    [['newPendingTransactions', {}], -32602, /param 1/],
    [['sync'], -32602, /newHeads, logs, newPendingTransactions/],
  ])('is refused for %j', async (params, code, message) => {
    const socket = await open()
    expect(await ask(socket, 'eth_subscribe', ...params)).toMatchObject({
      error: { code, message: expect.stringMatching(message) },
    })
    socket.close()
  })

  it('releases its terms when it ends, and when its connection closes', async () => {
    await rpc.server.close()
    rpc = await serveTestNode(node, crypto, { logTermsPerRemoteMax: 3, subscriptionsPerConnectionMax: 2 })
    const criteria = { address: [token, other] }
    const [first, second] = [await open(), await open()]
    const { result: id } = await ask(first, 'eth_subscribe', 'logs', criteria)
    // Equal filters of one address count their terms once.
    expect((await ask(second, 'eth_subscribe', 'logs', { address: [other, token] })).error).toBeUndefined()
    expect((await ask(second, 'eth_subscribe', 'logs', { address: [token, alice] })).error?.message).toMatch(
      /too many addresses, topics and hashes/,
    )
    await ask(first, 'eth_subscribe', 'newHeads')
    expect((await ask(first, 'eth_subscribe', 'newHeads')).error).toMatchObject({
      code: -32005,
      message: expect.stringMatching(/too many subscriptions: .* 2;/),
    })
    await ask(first, 'eth_unsubscribe', id)
    second.close()
    await once(second.socket, 'close')
    // The server notices the close a little later.
    await vi.waitUntil(() => rpc.server.counters.subscriptions === 1)
    const all = { address: [token, other, alice] }
    expect((await rpc.call('eth_newFilter', all)).error).toBeUndefined()
    first.close()
  })
})

describe('receipts', () => {
  const sign = (fields: object) =>
    testAccounts[0]!.signTransaction({ type: 'eip1559', chainId: 31_337, gas: 90_000n, nonce: 0, ...fields } as never)
  const created = '0x5fbdb2315678afecb367f032d93f642f64180aa3' as Address
  const reason = encodeErrorResult({ abi, errorName: 'InsufficientBalance', args: [1n, 2n] })

  beforeEach(async () => {
    const transactions: readonly TestTransaction[] = [
      { raw: hexToBytes((await sign({ data: '0xef51' })) as Hex), contractAddress: created, logs: [transfer(1n), paused('p')] },
      { raw: hexToBytes((await sign({ nonce: 1, to: token, data: '0x01' })) as Hex), status: 0, errorData: hexToBytes(reason) },
      { raw: hexToBytes((await sign({ nonce: 2, to: token })) as Hex), status: 0 },
      { raw: hexToBytes((await sign({ nonce: 3, to: token })) as Hex), logs: [transfer(2n)] },
    ]
    await appendBlock(node, crypto, transactions)
  })

  it('as viem parses them: creation, failure with its reason, logs numbered through the block', async () => {
    const client = viemClient()
    const { transactions } = await client.getBlock({ blockNumber: 1n })
    const [creation, failed, silent, last] = await Promise.all(transactions.map((hash) => client.getTransactionReceipt({ hash })))
    expect(creation).toMatchObject({
      status: 'success',
      to: null,
      contractAddress: created,
      type: 'eip1559',
      transactionIndex: 0,
    })
    expect(creation?.logs.map(({ logIndex, transactionIndex }) => [logIndex, transactionIndex])).toEqual([
      [0, 0],
      [1, 0],
    ])
    expect(failed).toMatchObject({ status: 'reverted', to: token, contractAddress: null, logs: [], revertReason: reason })
    const { revertReason } = failed as unknown as { readonly revertReason: Hex }
    expect(decodeErrorResult({ abi, data: revertReason })).toMatchObject({ errorName: 'InsufficientBalance', args: [1n, 2n] })
    expect(silent).toMatchObject({ status: 'reverted' })
    expect(silent).not.toHaveProperty('revertReason')
    expect(last?.logs.map(({ logIndex, transactionIndex }) => [logIndex, transactionIndex])).toEqual([[2, 3]])
    expect(last?.cumulativeGasUsed).toBe(84_000n)
    const { logsBloom } = await client.getBlock({ blockNumber: 1n })
    const blooms = [creation, failed, silent, last].map((receipt) => BigInt(receipt!.logsBloom))
    expect(BigInt(logsBloom)).toBe(blooms.reduce((a, b) => a | b))
    expect(blooms.map((bloom) => bloom !== 0n)).toEqual([true, false, false, true])
    expect([creation, last].flatMap((receipt) => receipt?.logs)).toEqual(await client.getLogs({ blockHash: creation!.blockHash }))
  })

  it('as ethers parses them', async () => {
    const provider = ethersProvider()
    const { transactions } = (await provider.getBlock(1))!
    const [creation, failed, , last] = await Promise.all(transactions.map((hash) => provider.getTransactionReceipt(hash)))
    expect(creation).toMatchObject({ status: 1, to: null, index: 0, type: 2 })
    expect(creation?.contractAddress?.toLowerCase()).toBe(created)
    expect(creation?.logs.map(({ index }) => index)).toEqual([0, 1])
    expect(failed).toMatchObject({ status: 0, contractAddress: null, logs: [] })
    expect(last?.logs.map(({ index, transactionIndex }) => [index, transactionIndex])).toEqual([[2, 3]])
    provider.destroy()
  })

  it('are the same one by one and for the whole block', async () => {
    const hashes = node.store.senders(node.store.head.header.number)!.map(({ hash }) => hash)
    const single = await Promise.all(hashes.map(async (hash) => (await rpc.call('eth_getTransactionReceipt', hash)).result))
    expect((await rpc.call('eth_getBlockReceipts', 'latest')).result).toEqual(single)
    expect((await rpc.call('eth_getBlockReceipts', node.store.head.hash)).result).toEqual(single)
    expect((await rpc.call('eth_getBlockReceipts', { blockHash: node.store.head.hash })).result).toEqual(single)
  })
})

describe('a contract that runs', () => {
  const { abi: tokenAbi, bytecode } = readContract('token')
  const wallet = () =>
    createWalletClient({ account: testAccounts[0]!, chain: foundry, transport: http(rpc.url) }).extend(publicActions)
  const included = async (sending: Promise<Hex>) => {
    const hash = await sending
    await node.produce()
    return wallet().getTransactionReceipt({ hash })
  }

  it('returns its creation, events, failures and storage as clients expect', async () => {
    const client = wallet()
    const creation = await included(client.deployContract({ abi: tokenAbi, bytecode, args: ['Gold', 'GLD', alice, 1_000n] }))
    const address = creation.contractAddress!
    expect(creation).toMatchObject({ status: 'success', to: null })
    expect(address).toBe(getContractAddress({ from: alice, nonce: 0n }).toLowerCase())
    const filter = await client.createContractEventFilter({ abi: tokenAbi, address, eventName: 'Transfer' })
    const send = (value: bigint) =>
      client.writeContract({ address, abi: tokenAbi, functionName: 'transfer', args: [bob, value], gas: 1_000_000n })
    await included(send(7n))
    const failed = await included(send(5_000n))
    const events = await client.getContractEvents({ abi: tokenAbi, address, eventName: 'Transfer', fromBlock: 0n })
    expect(events.map(({ blockNumber, args }) => [blockNumber, args])).toEqual([
      [1n, { from: zeroAddress, to: alice, value: 1_000n }],
      [2n, { from: alice, to: bob, value: 7n }],
    ])
    expect(await client.getFilterChanges({ filter })).toEqual(events.slice(1))
    expect(failed).toMatchObject({ status: 'reverted', logs: [], contractAddress: null })
    const { revertReason } = failed as unknown as { readonly revertReason: Hex }
    const error = decodeErrorResult({ abi: tokenAbi, data: revertReason })
    expect(error).toMatchObject({ errorName: 'ERC20InsufficientBalance', args: [alice, 993n, 5_000n] })
    expect(await client.getStorageAt({ address, slot: stringToHex('totalSupply') })).toBe(numberToHex(1_000n, { size: 32 }))
    expect(await client.getStorageAt({ address, slot: stringToHex('symbol') })).toBe(pad(stringToHex('GLD')))
    expect(await client.getStorageAt({ address, slot: stringToHex('symbol'), blockNumber: 0n })).toBe(pad('0x'))
  })
})
