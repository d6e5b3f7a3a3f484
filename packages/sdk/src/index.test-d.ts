import { createClient, createPublicClient, parseAbi } from 'viem'
import { expectTypeOf, it } from 'vitest'
import {
  type ClusterTransport,
  cluster,
  fetchChain,
  type NodeStatus,
  quoinActions,
  type RefusalDetails,
  type RefusalReason,
  refusalOf,
  streamContractEvents,
  streamContractState,
  watchReadContract,
} from './index.ts'

it('cluster is a transport of viem, and its own members are on client.transport', () => {
  const transport = cluster(['https://a.example', { url: 'wss://b.example', weight: 2 }])
  expectTypeOf(transport).toEqualTypeOf<ClusterTransport>()
  const client = createPublicClient({ transport })
  expectTypeOf(client.transport.type).toEqualTypeOf<'cluster'>()
  expectTypeOf(client.transport.nodes()).toEqualTypeOf<readonly NodeStatus[]>()
  expectTypeOf(client.transport.minHeight()).toEqualTypeOf<number | undefined>()
  expectTypeOf(client.getBlockNumber).returns.resolves.toEqualTypeOf<bigint>()
})

it('strategies are names or functions of nodes', () => {
  cluster(['https://a.example'], { strategy: 'round-robin' })
  cluster(['https://a.example'], { strategy: (nodes) => nodes.filter(({ isBehind }) => !isBehind) })
  // @ts-expect-error: no such strategy
  cluster(['https://a.example'], { strategy: 'nearest' })
  // @ts-expect-error: a strategy orders nodes, and makes none
  cluster(['https://a.example'], { strategy: () => ['https://b.example'] })
})

it('a chain can be given to a client', async () => {
  const chain = await fetchChain(['https://a.example'], { genesisHash: '0x00' })
  expectTypeOf(chain.genesisHash).toEqualTypeOf<`0x${string}`>()
  createClient({ chain, transport: cluster(['https://a.example']) })
})

it('a refusal has a reason of the closed list, or a newer word', () => {
  expectTypeOf(refusalOf(new Error('x'))).toEqualTypeOf<RefusalDetails | undefined>()
  expectTypeOf<'pool-full'>().toExtend<RefusalReason>()
  expectTypeOf<'no-such-reason'>().not.toExtend<RefusalReason>()
})

const abi = parseAbi([
  'event Paid(uint256 indexed id, address payer)',
  'event Named(string name)',
  'function openOf(uint256 id) view returns (uint256)',
])
const client = createClient({ transport: cluster(['https://a.example']) })

it('a stream of events has the arguments of the ABI', () => {
  const paid = streamContractEvents(client, { abi, eventName: 'Paid', args: { id: 7n } })
  paid.map(({ args, blockNumber }) => {
    expectTypeOf(args).toEqualTypeOf<{ id: bigint; payer: `0x${string}` }>()
    expectTypeOf(blockNumber).toEqualTypeOf<bigint>()
  })
  streamContractEvents(client, { abi }).map(({ eventName }) => expectTypeOf(eventName).toEqualTypeOf<'Paid' | 'Named'>())
  // @ts-expect-error: the ABI has no such event
  streamContractEvents(client, { abi, eventName: 'Lost' })
})

it('actions are methods of an extended client', () => {
  const extended = client.extend(quoinActions())
  extended
    .streamContractEvents({ abi, eventName: 'Paid' })
    .map(({ args }) => expectTypeOf(args).toEqualTypeOf<{ id: bigint; payer: `0x${string}` }>())
  extended.streamBlocks().map(({ number }) => expectTypeOf(number).toEqualTypeOf<bigint>())
})

it('a watched read has the result of the ABI', () => {
  const address = '0x0000000000000000000000000000000000000001'
  watchReadContract(client, {
    ...{ abi, address, functionName: 'openOf', args: [7n] },
    onData: (open, { blockNumber }) => {
      expectTypeOf(open).toEqualTypeOf<bigint>()
      expectTypeOf(blockNumber).toEqualTypeOf<bigint>()
    },
  })
  // @ts-expect-error: the argument must be a bigint
  watchReadContract(client, { abi, address, functionName: 'openOf', args: ['7'], onData: () => {} })
})

it('a stream of state has the type of the function, and takes views alone', () => {
  const client = createClient({ transport: cluster(['https://a.example']) })
  const abi = parseAbi(['function open(uint256 id) view returns (uint256 due, bool isPaid)', 'function pay(uint256 id)'])
  const stream = streamContractState(client, { abi, address: '0x00', functionName: 'open', args: [7n] })
  expectTypeOf(stream.batches).returns.toExtend<
    AsyncIterable<{ readonly items: readonly { readonly value: readonly [bigint, boolean]; readonly blockNumber: bigint }[] }>
  >()
  expectTypeOf(stream.buffer({ maxSize: 1 }).map(({ value: [due] }) => due).toReadableStream).returns.toExtend<ReadableStream>()
  // @ts-expect-error: pay changes the state
  streamContractState(client, { abi, address: '0x00', functionName: 'pay', args: [7n] })
  // @ts-expect-error: open takes a number
  streamContractState(client, { abi, address: '0x00', functionName: 'open', args: ['seven'] })
})
