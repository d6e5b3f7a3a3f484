import { createPublicClient, createWalletClient, defineChain, type Hex, http, parseEther } from 'viem'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { WebSocket } from 'ws'
import { type DevNode, startDevNode } from '../../packages/cli/src/dev/index.ts'
import { type ClusterOptions, cluster, type NodeOptions } from '../../packages/sdk/src/index.ts'
import { account } from '../e2e/harness.ts'
import { NodeProxy } from './proxy.ts'

export const chain = defineChain({
  ...{ id: 31_337, name: 'Quoin', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 } },
  rpcUrls: { default: { http: [] } },
})

/** So that a test sees what checks do, and not when. Node.js 20 has no WebSocket. */
export const QUICK: ClusterOptions = {
  webSocket: WebSocket,
  idle: 50,
  healthCheck: { interval: 25, timeout: 1_000 },
  breaker: { failures: 2, rest: 50 },
}

/** A development chain for a test file, and proxies to it that are closed after each test. */
export function stage() {
  let node: DevNode | undefined
  let proxies: NodeProxy[] = []
  const clients: { close(): void }[] = []
  beforeAll(async () => {
    node = await startDevNode({ port: 0 })
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    await Promise.all(proxies.map((proxy) => proxy.close()))
    proxies = []
  })
  afterAll(() => node?.close())

  const direct = () => createPublicClient({ chain, transport: http(node!.url) })
  return {
    direct,
    url: () => node!.url,
    /** So many nodes of the chain. */
    async nodes(count: number): Promise<NodeProxy[]> {
      const started = await Promise.all(Array.from({ length: count }, () => NodeProxy.start(node!.url)))
      proxies.push(...started)
      return started
    },
    /** A client of a cluster; closed after the test. */
    client(urls: readonly (string | NodeOptions)[], options: ClusterOptions = {}) {
      const client = createPublicClient({
        chain,
        transport: cluster(urls, { ...QUICK, ...options }),
        cacheTime: 0,
        pollingInterval: 20,
      })
      clients.push(client.transport)
      return client
    },
    /** Makes blocks; resolves to the height. */
    async mine(blocks = 1): Promise<number> {
      const client = direct()
      await client.request({ method: 'anvil_mine', params: [`0x${blocks.toString(16)}`] } as never)
      return Number(await client.getBlockNumber())
    },
    /** A signed transfer, which nobody has sent yet. */
    async signed(index: number): Promise<Hex> {
      const wallet = createWalletClient({ account: account(index), chain, transport: http(node!.url) })
      const request = await wallet.prepareTransactionRequest({ to: account(9).address, value: parseEther('1') })
      return wallet.signTransaction(request)
    },
  }
}

/** The error of an action that must fail. */
export async function failureOf(action: PromiseLike<unknown>): Promise<unknown> {
  const failure = await action.then(
    () => undefined,
    (reason: unknown) => ({ reason }),
  )
  if (failure === undefined) throw new Error('the action succeeded')
  return failure.reason
}
