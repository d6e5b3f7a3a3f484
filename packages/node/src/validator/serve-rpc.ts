import { nextBaseFee } from '@quoin/execution'
import type { MemoryWatch } from '../health/memory-watch.ts'
import type { Probes } from '../health/probes.ts'
import type { Libp2pTransport } from '../network/index.ts'
import type { Node } from '../node.ts'
import { submit } from '../rpc/node-backend.ts'
import { RpcThread } from '../rpc-thread/rpc-thread.ts'
import type { CommitHeights } from '../store/commit-heights.ts'
import type { DamageReports } from '../store/damage.ts'
import { systemClock } from '../system-clock.ts'
import { callWorkersOf } from './rpc-settings.ts'
import { ownThreads, type Run } from './run.ts'
import { CLIENT_VERSION } from './version.ts'
import { highestOf } from './watches.ts'

/** Parts of a running node that its RPC uses. */
export interface RpcParts {
  readonly transport: Libp2pTransport
  readonly memory: MemoryWatch
  readonly damage: DamageReports
  readonly heights: CommitHeights
  readonly probes: Probes
}

const SHORT_OF_MEMORY = 'this node is short of memory and refuses reads for now: ask another node, or retry later'

/**
 * Serves the RPC of a node from a separate thread. The scope closes it before the node.
 *
 * @throws {ListenError} If the RPC cannot listen on its address.
 */
export async function serveRpc(run: Run, node: Node, parts: RpcParts): Promise<RpcThread> {
  const { config, rpcSettings, genesis, dir, keys, log, scope, shutdown } = run
  const { transport, memory, damage, heights, probes } = parts
  const { chain, blocks, mempool } = node
  const { host, port } = config.rpc
  const thread = ownThreads(
    { scope, shutdown },
    await RpcThread.start({
      data: {
        ...{ databasePath: dir.database, chainId: genesis.chainId, clientVersion: CLIENT_VERSION, host, port },
        settings: rpcSettings,
        calls: { workers: callWorkersOf(config), callMs: config.rpc['call-ms'] },
        proofBlocks: config.store['proof-blocks'],
        heights: heights.buffer,
      },
      head: () => ({ height: chain.head.header.number, nextBaseFee: nextBaseFee(chain.head.header, chain.head.parameters) }),
      news: () => ({
        peers: transport.peers().length,
        highest: highestOf(node, transport),
        coinbase: chain.head.validators.validators.find(({ address }) => address === keys.validator.address)?.feeAddress,
        readRefusal: memory.isHigh ? SHORT_OF_MEMORY : undefined,
      }),
      onHead: (listener) => chain.onHead(listener),
      onAdmitted: (listener) => mempool.onAdmitted(listener),
      pool: mempool,
      submit: (raw) => submit({ pool: mempool, store: blocks }, raw),
      ...{ probes, clock: systemClock, logger: log.child({ module: 'rpc' }), onDamage: damage.report },
    }),
  )
  memory.onShort(() => thread.dropCaches())
  log.info({ host, port: thread.port }, 'rpc listening')
  return thread
}
