import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { startDevNode } from '../../packages/cli/src/dev/index.ts'
import { discovery } from '../../packages/sdk/src/index.ts'
import { until } from '../e2e/watch.ts'
import type { NodeProxy } from './proxy.ts'
import { stage } from './stage.ts'

const { nodes, client: clientOf, mine, url: nodeUrl } = stage()
const quick = { intervalMs: 10 }
const INTERVAL = 20

/** Names for nodes that are reached without TLS, which a test cannot have certificates for. */
function named(byName: Readonly<Record<string, NodeProxy>>) {
  return class extends WebSocket {
    constructor(url: string) {
      super(byName[new URL(url).hostname]?.socketUrl ?? url)
    }
  }
}

it('finds nodes, asks them, and leaves those that are not listed any more', async () => {
  const [own, a, b] = (await nodes(3)) as [NodeProxy, NodeProxy, NodeProxy]
  let list: readonly string[] = ['wss://a.example/', 'wss://b.example']
  const client = clientOf([own.url], {
    webSocket: named({ 'a.example': a, 'b.example': b }),
    discover: discovery({
      interval: INTERVAL,
      read: async (ask) => {
        expect(await ask({ method: 'eth_chainId' })).toBe('0x7a69')
        return list
      },
    }),
    idle: 60_000,
  })
  const height = await mine()
  expect(await client.getBlockNumber()).toBe(BigInt(height))
  const urls = () => client.transport.nodes().map(({ url }) => url)
  await until('both are there', async () => urls().length === 3, quick)
  expect(client.transport.discovery()).toEqual({
    urls: ['wss://a.example', 'wss://b.example'],
    refused: [],
    error: undefined,
  })
  // The list is read through the others when the node of the application is down.
  await own.stop()
  expect(await client.getBlockNumber()).toBe(BigInt(height))
  // A request at a node that leaves the list is asked elsewhere.
  a.faults = { freeze: true }
  const reads = Array.from({ length: 6 }, () => client.getChainId())
  list = ['wss://b.example']
  await until('one has left', async () => urls().length === 2, quick)
  expect(await Promise.all(reads)).toEqual(Array.from({ length: 6 }, () => 31_337))
  expect(urls()).toEqual([own.url, 'wss://b.example'])
})

it('takes only what is safe and of this chain', async () => {
  const stranger = await startDevNode({ port: 0, chainId: 4_711, complain: () => undefined })
  try {
    const [own, a, other] = (await nodes(3)) as [NodeProxy, NodeProxy, NodeProxy]
    const elsewhere = class extends WebSocket {
      constructor(url: string) {
        const byName: Record<string, string> = {
          'a.example': a.socketUrl,
          'b.example': other.socketUrl,
          'stranger.example': stranger.url.replace('http', 'ws'),
        }
        super(byName[new URL(url).hostname] ?? 'ws://127.0.0.1:1')
      }
    }
    const list = [
      ...[nodeUrl(), 'ws://a.example', 'wss://me:secret@a.example', 'javascript:alert(1)', 'nonsense'],
      ...['wss://stranger.example', 'wss://down.example', 'wss://a.example', 'wss://a.example', 'wss://b.example'],
    ]
    const client = clientOf([own.url], {
      webSocket: elsewhere,
      discover: discovery({ read: async () => list, nodesMax: 3, interval: 60_000 }),
      idle: 60_000,
    })
    await client.getChainId()
    await until('the list was read', async () => client.transport.discovery()!.refused.length > 0, quick)
    expect(client.transport.discovery()).toEqual({
      urls: ['wss://a.example'],
      refused: [
        ...list.slice(0, 5).map((url) => ({ url, problem: 'url' })),
        { url: 'wss://b.example', problem: 'too-many' },
        { url: 'wss://stranger.example', problem: 'wrong-chain' },
        { url: 'wss://down.example', problem: 'no-answer' },
      ],
      error: undefined,
    })
  } finally {
    await stranger.close()
  }
})

it('keeps its nodes while the list cannot be read, and says why', async () => {
  const [own, a] = (await nodes(2)) as [NodeProxy, NodeProxy]
  let isBroken = false
  const client = clientOf([own.url], {
    webSocket: named({ 'a.example': a }),
    discover: discovery({
      interval: INTERVAL,
      read: async () => {
        if (isBroken) throw new Error('the registry is gone')
        return ['wss://a.example']
      },
    }),
    idle: 60_000,
  })
  await client.getChainId()
  await until('it is there', async () => client.transport.nodes().length === 2, quick)
  isBroken = true
  await until('it fails', async () => client.transport.discovery()!.error !== undefined, quick)
  expect(client.transport.nodes().length).toBe(2)
  expect(client.transport.discovery()!.error!.message).toBe('the registry is gone')
})

it('reads nothing before the cluster is used, nor after it was closed', async () => {
  const [own] = (await nodes(1)) as [NodeProxy]
  let readings = 0
  const read = async (): Promise<readonly string[]> => {
    readings += 1
    return []
  }
  const client = clientOf([own.url], { discover: discovery({ read, interval: 1 }), idle: 60_000 })
  expect(readings).toBe(0)
  await client.getChainId()
  await until('it reads', async () => readings > 2, quick)
  client.transport.close()
  const before = readings
  await mine()
  expect(readings).toBe(before)
})

it('forgets a reading that ends after the cluster was at rest', async () => {
  const [own] = (await nodes(1)) as [NodeProxy]
  let readings = 0
  let fail = (_: Error): void => {}
  const first = new Promise<never>((_, reject) => {
    fail = reject
  })
  const read = (): Promise<readonly string[]> => (readings++ === 0 ? first : Promise.resolve(['nonsense']))
  const client = clientOf([own.url], { discover: discovery({ read, interval: 60_000 }), idle: 1 })
  await until('it reads again', async () => (await client.getChainId()) > 0 && readings === 2, quick)
  await until(
    'the list was read',
    async () => (await client.getChainId()) > 0 && client.transport.discovery()!.refused.length > 0,
    quick,
  )
  fail(new Error('too late'))
  await first.catch(() => mine())
  expect(client.transport.discovery()!.error).toBeUndefined()
})

it('is not read again by a cluster that is used now and then', async () => {
  const [own] = (await nodes(1)) as [NodeProxy]
  let readings = 0
  const read = async (): Promise<readonly string[]> => {
    readings += 1
    return []
  }
  const client = clientOf([own.socketUrl], { discover: discovery({ read, interval: 60_000 }), idle: 200, healthCheck: false })
  for (let i = 1; i <= 3; i++) {
    await client.getChainId()
    await until('the list was read', async () => own.count('eth_getBlockByNumber') === 1, quick)
    await until('the cluster rests', async () => own.openConnections === 0, quick)
  }
  expect(readings).toBe(1)
})
