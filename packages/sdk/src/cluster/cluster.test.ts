import { describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { answer, type RpcRequest, refuse, soon, startRpcServer } from '../../test/rpc-server.ts'
import { BehindError, NodesFailedError, NotThroughClusterError } from '../errors.ts'
import { type ClusterOptions, cluster } from './cluster.ts'

const inOrder = {
  strategy: <node>(nodes: readonly node[]) => nodes,
  healthCheck: false,
  retryCount: 0,
  webSocket: WebSocket,
} as const

/** A cluster's transport, as a client of viem has it. */
function start(urls: readonly string[], options: ClusterOptions = {}) {
  const { request, value } = cluster(urls, { ...inOrder, ...options })({})
  const ask = (method: string, params: readonly unknown[] = []): Promise<unknown> => request({ method, params } as never)
  return { ask, ...value! }
}

/** A node whose head can be set. */
async function nodeAt(head: number, more: (request: RpcRequest) => string | undefined = () => undefined) {
  const node = { head }
  const server = await startRpcServer((request) => {
    if (request.method === 'eth_blockNumber') return answer(request, `0x${node.head.toString(16)}`)
    return more(request) ?? answer(request, 'fine')
  })
  return { ...server, set: (next: number) => (node.head = next) }
}

const times = (node: { readonly requests: readonly RpcRequest[] }, method: string) =>
  node.requests.filter((request) => request.method === method).length

describe('a cluster', () => {
  it('asks the next node, and says of all what went wrong', async () => {
    const [bad, good] = [await nodeAt(1, () => '<html>'), await nodeAt(1)]
    expect(await start([bad.url, good.url]).ask('eth_gasPrice')).toBe('fine')
    const failing = start([bad.url, 'http://127.0.0.1:1']).ask('eth_gasPrice')
    await expect(failing).rejects.toBeInstanceOf(NodesFailedError)
    await expect(failing).rejects.toMatchObject({ errors: [{ url: bad.url }, { url: 'http://127.0.0.1:1' }] })
  })

  it('throws at once what every node would refuse', async () => {
    const [one, other] = [await nodeAt(1, (request) => refuse(request, -32000, 'nonce too low')), await nodeAt(1)]
    await expect(start([one.url, other.url]).ask('eth_call')).rejects.toThrow('nonce too low')
    expect(times(other, 'eth_call')).toBe(0)
  })

  it('never answers below a height that it has shown', async () => {
    const [one, other] = [await nodeAt(9), await nodeAt(7)]
    const { ask, minHeight } = start([one.url, other.url])
    expect([await ask('eth_blockNumber'), minHeight()]).toEqual(['0x9', 9])
    one.set(8)
    await expect(ask('eth_blockNumber')).rejects.toBeInstanceOf(BehindError)
    await expect(ask('eth_blockNumber')).rejects.toMatchObject({ height: 8, minHeight: 9 })
    other.set(10)
    expect([await ask('eth_blockNumber'), minHeight()]).toEqual(['0xa', 10])
    expect(one.requests.at(-1)).toMatchObject({ minHeight: '0x9' })
  })

  it('takes a missing block for a node that is behind, if the block was seen', async () => {
    const without = await nodeAt(9, (request) => (request.method === 'eth_getBlockByNumber' ? answer(request, null) : undefined))
    const { ask } = start([without.url])
    expect(await ask('eth_getBlockByNumber', ['0x8', false])).toBeNull()
    await ask('eth_blockNumber')
    await expect(ask('eth_getBlockByNumber', ['0x8', false])).rejects.toBeInstanceOf(BehindError)
    expect(await ask('eth_getBlockByNumber', ['0xa', false])).toBeNull()
  })

  it('does not believe one node among three', async () => {
    const [one, other, liar] = [await nodeAt(5), await nodeAt(6), await nodeAt(1_000_000)]
    const { ask, minHeight } = start([one.url, other.url, liar.url], { strategy: 'round-robin' })
    const heights = [await ask('eth_blockNumber'), await ask('eth_blockNumber'), await ask('eth_blockNumber')]
    expect(heights).not.toContain('0xf4240')
    expect(minHeight()).toBe(6)
  })

  it('keeps filters at their node', async () => {
    const make = (request: RpcRequest) => (request.method === 'eth_newFilter' ? answer(request, '0xf') : undefined)
    const [one, other] = [await nodeAt(1, make), await nodeAt(1, make)]
    const { ask } = start([one.url, other.url], { strategy: 'round-robin' })
    await ask('eth_newFilter')
    for (let i = 0; i < 3; i += 1) await ask('eth_getFilterChanges', ['0xf'])
    expect([times(one, 'eth_getFilterChanges'), times(other, 'eth_getFilterChanges')]).toEqual([3, 0])
    await ask('eth_uninstallFilter', ['0xf'])
    expect(times(one, 'eth_uninstallFilter')).toBe(1)
  })

  it('subscribes at a node with a WebSocket, and counts its heads', async () => {
    const subscribing = (request: RpcRequest) => (request.method === 'eth_subscribe' ? answer(request, '0xa') : undefined)
    const [http, socket] = [await nodeAt(1), await nodeAt(1, subscribing)]
    const { ask, subscribe, minHeight, close } = start([http.url, socket.socketUrl])
    const heads: unknown[] = []
    const onError = vi.fn()
    const { subscriptionId } = await subscribe({ params: ['newHeads'], onData: ({ result }) => heads.push(result), onError })
    expect(subscriptionId).toBe('0xa')
    const params = { subscription: '0xa', result: { number: '0x7' } }
    socket.push(JSON.stringify({ method: 'eth_subscription', params }))
    await soon(() => expect(heads).toEqual([{ number: '0x7' }]))
    expect(minHeight()).toBe(7)
    close()
    expect(onError).toHaveBeenCalledOnce()
    await expect(ask('eth_chainId')).rejects.toThrow('closed')
    await expect(start([http.url]).subscribe({ params: ['newHeads'], onData: () => undefined })).rejects.toThrow('wss://')
    await expect(start([http.url]).ask('eth_subscribe')).rejects.toBeInstanceOf(NotThroughClusterError)
  })

  it('checks its nodes while it is used', async () => {
    const [one, behind] = [await nodeAt(100), await nodeAt(90)]
    const { ask, nodes, close } = start([one.url, behind.url], { healthCheck: { interval: 5 }, idle: 60_000 })
    expect([one.requests, behind.requests]).toEqual([[], []])
    await ask('eth_chainId')
    await soon(() => {
      expect(nodes().map(({ isBehind, height }) => [isBehind, height])).toEqual([
        [false, 100],
        [true, 90],
      ])
      expect(times(behind, 'eth_blockNumber')).toBeGreaterThan(3)
    })
    close()
  })

  it('lets go of its nodes when it is not used', async () => {
    const node = await nodeAt(1)
    const { ask } = start([node.socketUrl], { healthCheck: { interval: 5 }, idle: 20 })
    await ask('eth_chainId')
    await soon(() => expect(node.sockets.size).toBe(0))
    expect(await ask('eth_chainId')).toBe('fine')
    expect(node.connections()).toBe(2)
  })

  it('closes the breaker of an only node again, without health checks', async () => {
    let isUp = false
    const node = await nodeAt(1, () => (isUp ? undefined : '<html>'))
    const { ask, nodes } = start([node.url], { breaker: { failures: 2, rest: 1 } })
    for (let i = 0; i < 3; i += 1) await expect(ask('eth_chainId')).rejects.toThrow()
    expect(nodes()[0]!.breaker).toBe('open')
    isUp = true
    await soon(async () => {
      expect(await ask('eth_chainId')).toBe('fine')
      expect(nodes()[0]!.breaker).toBe('closed')
    })
  })
})
