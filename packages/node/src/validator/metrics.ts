import type { SenderRecovery } from '../crypto/recovery.ts'
import type { WorkerExecutor } from '../executor/worker-executor.ts'
import type { DiskWatch } from '../health/disk-watch.ts'
import { LoopDelays } from '../health/loop-delays.ts'
import type { MemoryWatch } from '../health/memory-watch.ts'
import type { HealthMonitor } from '../health/monitor.ts'
import type { PeerClocks } from '../health/peer-clocks.ts'
import type { Closable } from '../lifecycle.ts'
import type { Libp2pTransport } from '../network/index.ts'
import type { Node } from '../node.ts'
import type { RpcThread } from '../rpc-thread/rpc-thread.ts'
import type { Scrub } from '../store/scrub.ts'
import { systemClock } from '../system-clock.ts'

export interface MetricSources {
  readonly transport: Libp2pTransport
  readonly recovery: SenderRecovery
  /** The RPC thread; undefined until it has started. */
  readonly rpc: () => RpcThread | undefined
  readonly executor: WorkerExecutor
  readonly health: HealthMonitor
  readonly disk: DiskWatch
  readonly memory: MemoryWatch
  readonly clocks: PeerClocks
  readonly scrub: Scrub
}

/** Counters and gauges of a node since its start, by their names on `/metrics`. */
export class NodeMetrics implements Closable {
  readonly #node: Node
  readonly #sources: MetricSources
  readonly #unsubscribe: () => void
  readonly #loop = new LoopDelays(systemClock)
  #transactions = 0
  #finalityMs = 0

  constructor(node: Node, sources: MetricSources) {
    this.#node = node
    this.#sources = sources
    this.#unsubscribe = node.chain.onHead(({ header }) => {
      this.#transactions += node.blocks.senders(header.number)?.length ?? 0
      this.#finalityMs = systemClock.now() - header.timeMs
    })
  }

  read(): Readonly<Record<string, number>> {
    const { chain, mempool, counters, status } = this.#node
    const { transport, recovery, rpc, executor, health, disk, memory, clocks, scrub } = this.#sources
    const { user, system } = process.cpuUsage()
    return {
      chain_height: chain.head.header.number,
      chain_finality_ms: this.#finalityMs,
      chain_head_age_ms: systemClock.now() - chain.head.header.timeMs,
      chain_transactions_total: this.#transactions,
      consensus_round: status?.round ?? 0,
      mempool_transactions: mempool.stats.count,
      mempool_queued: mempool.stats.queued,
      mempool_bytes: mempool.stats.bytes,
      network_peers: transport.peers().length,
      crypto_senders_recovered_total: recovery.stats.recovered,
      ...prefixed('execution', executor.stats),
      ...prefixed('store_scrub', scrub.stats),
      ...rpcMetrics(rpc()),
      ...prefixed('network', transport.counters),
      ...prefixed('engine', counters),
      process_id: process.pid,
      process_cpu_seconds_total: (user + system) / 1e6,
      process_resident_bytes: process.memoryUsage.rss(),
      process_heap_bytes: memory.use.heapBytes,
      ...this.#loopDelays(),
      clock_offset_ms: clocks.medianMs ?? 0,
      clock_peers: clocks.peerCount,
      disk_free_bytes: disk.freeBytes,
      ...health.metrics(),
    }
  }

  close(): void {
    this.#unsubscribe()
    this.#loop.close()
  }

  #loopDelays(): Readonly<Record<string, number>> {
    const { p99Ms, maxMs } = this.#loop.read()
    return { process_loop_delay_p99_ms: p99Ms, process_loop_delay_max_ms: maxMs }
  }
}

/** The thread reports its counters once a second; a busy thread reports late. */
function rpcMetrics(thread: RpcThread | undefined): Readonly<Record<string, number>> {
  if (thread?.stats === undefined) return {}
  const { server, calls, proofs, ...gauges } = thread.stats
  return {
    ...prefixed('rpc', server),
    ...prefixed('rpc', gauges),
    rpc_restarts: thread.restarts,
    ...prefixed('calls', calls),
    ...prefixed('proofs', proofs),
  }
}

const prefixed = (prefix: string, counters: Readonly<object>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counters).map(([name, value]) => [`${prefix}_${snakeCase(name)}`, Number(value)]))

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
