import { availableParallelism } from 'node:os'
import type { Crypto } from '@quoin/protocol'
import type { SenderRecovery } from '../crypto/recovery.ts'
import { type CallPool, openCallPool } from '../executor/call-pool.ts'
import type { WorkerExecutor } from '../executor/worker-executor.ts'
import type { DiskWatch } from '../health/disk-watch.ts'
import type { MemoryWatch } from '../health/memory-watch.ts'
import type { PeerClocks } from '../health/peer-clocks.ts'
import { type Libp2pTransport } from '../network/index.ts'
import type { Node } from '../node.ts'
import type { Kv, Random } from '../powers.ts'
import { createNodeBackend, DEFAULT_RPC_LIMITS, type RpcHealth, type RpcServer, startRpcServer } from '../rpc/index.ts'
import type { DamageReports } from '../store/damage.ts'
import type { Scrub } from '../store/scrub.ts'
import { systemClock } from '../system-clock.ts'
import { CLIENT_VERSION } from './commands/version.ts'
import { NodeMetrics } from './metrics.ts'
import { ownThreads, type Run } from './run.ts'
import { highestOf } from './watches.ts'

/** The threads behind `eth_call`: one on a machine of one or two cores, else two, where the configuration leaves it open. */
function openCalls({ dir, config, genesis, log }: Run, damage: DamageReports): CallPool {
  const wanted = config.rpc['call-workers']
  const workers = wanted > 0 ? wanted : availableParallelism() > 2 ? 2 : 1
  return openCallPool({
    databasePath: dir.database,
    chainId: genesis.chainId,
    limits: { workers, callMs: config.rpc['call-ms'] },
    clock: systemClock,
    logger: log.child({ module: 'calls' }),
    onDamage: damage.report,
  })
}

/** The parts of a running node that its RPC reads and shows. */
export interface RpcParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly kv: Kv
  readonly transport: Libp2pTransport
  readonly recovery: SenderRecovery
  readonly executor: WorkerExecutor
  readonly disk: DiskWatch
  readonly memory: MemoryWatch
  readonly clocks: PeerClocks
  readonly scrub: Scrub
  readonly damage: DamageReports
}

/** Serves the RPC of a node; the scope closes it before the node. */
export async function serveRpc(run: Run, node: Node, parts: RpcParts): Promise<RpcServer> {
  const { config, genesis, log, scope, shutdown, health } = run
  const { crypto, random, kv, transport } = parts
  const calls = ownThreads({ scope, shutdown }, openCalls(run, parts.damage))
  parts.memory.onShort(() => calls.dismissIdle())
  const metrics = scope.own(new NodeMetrics(node, { ...parts, calls, health }))
  const backend = createNodeBackend({
    chainId: genesis.chainId,
    clientVersion: CLIENT_VERSION,
    crypto,
    kv,
    store: node.blocks,
    chain: node.chain,
    pool: node.mempool,
    feed: node.feed,
    calls,
    peerCount: () => transport.peers().length,
    syncing: () => progressOf(node, transport),
  })
  const server = scope.own(
    await startRpcServer(backend, {
      host: config.rpc.host,
      port: config.rpc.port,
      corsOrigins: config.rpc['cors-origins'],
      requestsPerMinuteMax: config.rpc['requests-per-minute'],
      limits: {
        ...DEFAULT_RPC_LIMITS,
        bodyBytesMax: config.rpc['body-bytes'],
        batchItemsMax: config.rpc['batch-items'],
        connectionsMax: config.rpc.connections,
        callGasMax: config.rpc['call-gas'],
      },
      clock: systemClock,
      random,
      logger: log.child({ module: 'rpc' }),
      metrics: () => metrics.read(),
      health: healthOf(run, parts),
    }),
  )
  log.info({ host: server.host, port: server.port }, 'rpc listening')
  return server
}

function progressOf(node: Node, transport: Libp2pTransport): { readonly current: number; readonly highest: number } | undefined {
  const [current, highest] = [node.chain.head.header.number, highestOf(node, transport)]
  return highest > current ? { current, highest } : undefined
}

const healthOf = ({ health }: Run, { memory }: RpcParts): RpcHealth => ({
  live: () => health.live(),
  ready: () => health.ready(),
  get readRefusal() {
    return memory.isHigh
      ? 'this node is short of memory and answers no reads now: ask another node, or this one later'
      : undefined
  },
})
