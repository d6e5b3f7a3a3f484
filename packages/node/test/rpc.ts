import type { Crypto } from '@quoin/protocol'
import {
  createNodeBackend,
  DEFAULT_RPC_LIMITS,
  type RpcBackend,
  type RpcHealth,
  type RpcLimits,
  type RpcServer,
  startRpcServer,
} from '../src/rpc/index.ts'
import type { TestNode } from './chain.ts'
import { ManualClock } from './clock.ts'

export const testBackend = (node: TestNode, crypto: Crypto): RpcBackend =>
  createNodeBackend({
    ...node,
    chainId: 31_337,
    clientVersion: 'quoin/test',
    crypto,
    peerCount: () => 3,
    syncing: () => undefined,
  })

/** Bytes that count up: every one differs from those before it. */
export function countingRandom() {
  let count = 0
  return {
    bytes(length: number): Uint8Array {
      const bytes = new Uint8Array(length).fill(0xab)
      new DataView(bytes.buffer).setUint32(length - 4, ++count)
      return bytes
    },
  }
}

export interface TestRpc {
  readonly server: RpcServer
  readonly url: string
  readonly socketUrl: string
  readonly clock: ManualClock
  /** The answer to one request, whatever it is. */
  call(method: string, ...params: unknown[]): Promise<TestAnswer>
}

export interface TestAnswer {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** The RPC of a node, listening on a port that the operating system chose. Time stands still until told. */
export async function serveTestNode(
  node: TestNode,
  crypto: Crypto,
  limits: Partial<RpcLimits> = {},
  health?: RpcHealth,
): Promise<TestRpc> {
  const clock = new ManualClock()
  const server = await startRpcServer(testBackend(node, crypto), {
    host: '127.0.0.1',
    port: 0,
    corsOrigins: ['*'],
    requestsPerMinuteMax: 0,
    limits: { ...DEFAULT_RPC_LIMITS, ...limits },
    clock,
    random: countingRandom(),
    logger: node.log,
    metrics: () => ({ chain_height: node.chain.head.header.number }),
    ...(health === undefined ? {} : { health }),
  })
  const url = `http://127.0.0.1:${server.port}`
  return {
    server,
    url,
    socketUrl: url.replace('http', 'ws'),
    clock,
    async call(method, ...params) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      return (await response.json()) as TestAnswer
    },
  }
}
