import { type Height, Round } from '@quoin/protocol'
import { DiskWatch } from '../health/disk-watch.ts'
import { MemoryWatch, residentBytesMax } from '../health/memory-watch.ts'
import { networkConditions, witnessesNeeded } from '../health/network-conditions.ts'
import { PeerClocks } from '../health/peer-clocks.ts'
import { type Libp2pTransport } from '../network/index.ts'
import type { Node } from '../node.ts'
import { systemClock } from '../system-clock.ts'
import type { Run } from './run.ts'

/**
 * Starts to watch the free disk space, before anything is written.
 *
 * @throws {EndingError} If there is too little space to start.
 */
export async function watchDisk({ dir, config, scope, health }: Run, onExhausted: (error: unknown) => void): Promise<DiskWatch> {
  const { 'disk-warn-bytes': warnBytes, 'disk-stop-bytes': stopBytes } = config.health
  const disk = await DiskWatch.start({ directory: dir.root, warnBytes, stopBytes, clock: systemClock, onExhausted })
  health.watch(() => disk.conditions())
  return scope.own(disk)
}

export function watchMemory({ config, log, scope, health }: Run, node: Node): MemoryWatch {
  const memory = new MemoryWatch({
    residentBytesMax: residentBytesMax(config.health['memory-bytes']),
    clock: systemClock,
    logger: log.child({ module: 'health' }),
  })
  memory.onShort(() => node.dropCaches())
  health.watch(() => memory.conditions())
  return scope.own(memory)
}

/** Watches the node's position in the network: registry, peers, blocks behind, clocks. */
export function watchNetwork(
  { keys, log, scope, health }: Run,
  node: Node,
  transport: Libp2pTransport,
  onFailure: (error: unknown) => void,
): PeerClocks {
  const clocks = new PeerClocks({
    ...{ transport, clock: systemClock, logger: log.child({ module: 'health' }), onFailure },
    precisionMs: () => node.chain.head.parameters.clockPrecisionMs,
  })
  health.watch(() => clocks.conditions())
  let headSinceMs = systemClock.monotonic()
  const unsubscribe = node.chain.onHead(() => {
    headSinceMs = systemClock.monotonic()
  })
  scope.own({ close: unsubscribe })
  const conditions = () =>
    networkConditions({
      head: node.chain.head,
      self: transport.self,
      validator: keys.validator.address,
      peerCount: transport.peers().length,
      highest: highestOf(node, transport),
      nowMs: systemClock.now(),
      silence: node.status?.silence,
      round: node.status?.round ?? Round(0),
      // A stopped node receives no blocks, so the age of its head says nothing about the chain.
      headForMs: health.ending === undefined ? systemClock.monotonic() - headSinceMs : 0,
    })
  health.watch(conditions)
  // Other conditions are logged once they last. These two hold from the start or never, so log them at once.
  for (const { code, message } of conditions()) {
    if (code === 'not-registered' || code === 'head-ahead') log.warn({ condition: code }, message)
  }
  return scope.own(clocks)
}

/** The highest block that enough peers claim, so that a single lying peer cannot raise it. */
export const highestOf = ({ chain, sync }: Pick<Node, 'chain' | 'sync'>, transport: Pick<Libp2pTransport, 'peers'>): Height =>
  sync.claimedBy(witnessesNeeded(chain.head.validators, transport.peers().length))
