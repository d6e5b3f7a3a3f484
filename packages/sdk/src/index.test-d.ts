import { createClient, createPublicClient } from 'viem'
import { expectTypeOf, it } from 'vitest'
import {
  type ClusterTransport,
  cluster,
  fetchChain,
  type NodeStatus,
  type RefusalDetails,
  type RefusalReason,
  refusalOf,
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
