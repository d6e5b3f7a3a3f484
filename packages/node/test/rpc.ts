import type { Crypto } from '@quoin/protocol'
import type { RpcBackend } from '../src/rpc/backend.ts'
import { Call } from '../src/rpc/call.ts'
import { DEFAULT_RPC_LIMITS, type RpcLimits } from '../src/rpc/limits.ts'
import { createNodeBackend } from '../src/rpc/node-backend.ts'
import { type RpcServer, type RpcServerOptions, type RpcSettings, startRpcServer } from '../src/rpc/server/server.ts'
import { openShared } from '../src/rpc/shared.ts'
import { readEvidence } from '../src/store/evidence-store.ts'
import { PROOF_BLOCKS, type TestNode } from './chain.ts'
import { ManualClock } from './clock.ts'
import { checked, type TestError } from './refusals.ts'

export const testBackend = (node: TestNode, crypto: Crypto): RpcBackend =>
  createNodeBackend({
    ...node,
    proofBlocks: PROOF_BLOCKS,
    chainId: 31_337,
    clientVersion: 'quoin/test',
    crypto,
    peerCount: () => 3,
    syncing: () => undefined,
    coinbase: () => undefined,
    evidence: () => readEvidence(node.kv),
  })

/** A call of an arbitrary client, with its shared state. `isOver` says whether its time slice is used up. */
export function testCall(backend: RpcBackend, limits: Partial<RpcLimits> = {}, clock: ManualClock = new ManualClock()) {
  const all = { ...DEFAULT_RPC_LIMITS, ...limits }
  const onFailure = (failure: unknown): void => {
    throw failure
  }
  const shared = openShared(backend, { clock, random: countingRandom(), limits: all, onFailure })
  const gone = new AbortController()
  const identity = { remote: '127.0.0.1', connection: 1 }
  const call = new Call({
    identity,
    limits: all,
    shared,
    clock,
    abandoned: [gone.signal],
    onBytes: () => {},
    onUnits: () => {},
    connection: undefined,
  })
  return { call, shared, clock, gone }
}

/** Random bytes that are counters: every result differs from the earlier ones. */
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
  /** The response to one request, result or error. Rejects if the error has no reason of the list. */
  call(method: string, ...params: unknown[]): Promise<TestAnswer>
}

export interface TestAnswer {
  readonly result?: unknown
  readonly error?: TestError
}

/** Settings without rate limit, for pages of all origins. */
export const OPEN_SETTINGS: Omit<RpcSettings, 'limits'> = {
  corsOrigins: ['*'],
  allowedHosts: ['localhost'],
  trustedProxies: [],
  unitsPerSecond: 0,
  unitsBurst: 0,
  identity: undefined,
  tls: undefined,
}

/** The RPC of a node, on a port that the operating system chose. Its clock only moves when told to. */
export async function serveTestNode(
  node: TestNode,
  crypto: Crypto,
  limits: Partial<RpcLimits> = {},
  options: Partial<Pick<RpcServerOptions, 'readRefusal' | 'probes' | 'methods' | 'clock'>> & {
    readonly settings?: Partial<RpcSettings>
    /** Replaces parts of the node's backend. */
    readonly backend?: Partial<RpcBackend>
  } = {},
): Promise<TestRpc> {
  const clock = new ManualClock()
  const { backend, ...rest } = options
  const server = await startRpcServer(
    { ...testBackend(node, crypto), ...backend },
    {
      host: '127.0.0.1',
      port: 0,
      clock,
      random: countingRandom(),
      logger: node.log,
      probes: {
        live: async () => ({ isOk: true, body: { status: 'ok' } }),
        ready: async () => ({ isOk: true, body: { ready: true } }),
        metrics: async () => ({ chain_height: node.chain.head.header.number }),
      },
      ...rest,
      settings: { ...OPEN_SETTINGS, limits: { ...DEFAULT_RPC_LIMITS, ...limits }, ...options.settings },
    },
  )
  const url = `http://127.0.0.1:${server.port}`
  return {
    server,
    url,
    socketUrl: url.replace('http', 'ws'),
    clock,
    async call(method, ...params) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      return checked((await response.json()) as TestAnswer)
    },
  }
}
