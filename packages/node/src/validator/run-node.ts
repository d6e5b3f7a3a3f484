import { randomBytes } from 'node:crypto'
import { crc32c } from '@node-rs/crc32'
import { type Crypto, type Genesis, genesisDigest, Height } from '@quoin/protocol'
import type { Logger as Pino } from 'pino'
import { type LoadedCrypto, loadCrypto } from '../crypto/load.ts'
import { startRecoveryPool } from '../crypto/recovery-pool.ts'
import { HaltError } from '../engine/halt.ts'
import { createSigner } from '../engine/private-validator.ts'
import { startWorkerExecutor } from '../executor/worker-executor.ts'
import { EndingError, endingOf } from '../health/ending.ts'
import { ProbeServer } from '../health/probe-server.ts'
import type { Probes } from '../health/probes.ts'
import { createLibp2pTransport } from '../network/index.ts'
import { createNode, type Node } from '../node.ts'
import type { RpcThread } from '../rpc-thread/rpc-thread.ts'
import { CommitHeights } from '../store/commit-heights.ts'
import { DamageReports } from '../store/damage.ts'
import { openDatabase } from '../store/database.ts'
import { openFileLog } from '../store/file-log.ts'
import { Scrub } from '../store/scrub.ts'
import { systemClock } from '../system-clock.ts'
import { bootstrapPeers } from './bootstrap-peers.ts'
import { orFail } from './failure.ts'
import { writeHaltReport } from './halt-report.ts'
import { NodeMetrics } from './metrics.ts'
import { nodeProbes } from './node-probes.ts'
import { ownThreads, type Run } from './run.ts'
import { serveRpc } from './serve-rpc.ts'
import { watchDisk, watchMemory, watchNetwork } from './watches.ts'

/** Opens the real powers, the node on top of them, and then the RPC server. The scope closes them in reverse order. */
export async function runNode(run: Run): Promise<{ readonly node: Node; readonly rpc: RpcThread | undefined }> {
  const { dir, config, genesis, keys, operator, signState, log, scope, shutdown, health } = run
  const crypto = await loadCrypto()
  reportCrypto(crypto, log)
  const onHalt = (err: unknown): void => {
    health.fail(err)
    log.fatal(
      { err, reason: endingOf(err).code },
      'the node cannot continue: it accepts no transactions and takes no part in consensus',
    )
    if (err instanceof HaltError)
      log.fatal({ file: writeHaltReport(dir.haltReport, err) }, 'wrote a report of the block at which the node halted')
  }
  const disk = await watchDisk(run, onHalt)
  const damage = new DamageReports()
  const opened = await openDatabase(dir.database, { onDamage: damage.report, logger: log.child({ module: 'store' }) })
  if (!opened.ok && opened.error.code !== 'unknown-format')
    throw new EndingError({ code: 'untrusted-files', message: opened.error.message })
  const kv = scope.own(orFail(opened, 'database'))
  const recovery = ownThreads(
    { scope, shutdown },
    await startRecoveryPool({
      workers: config.crypto['recovery-workers'],
      onWorkerLost: (error) => log.warn({ error }, 'a sender recovery worker died: starting another one'),
    }),
  )
  const executor = ownThreads(
    { scope, shutdown },
    orFail(
      await startWorkerExecutor({
        databasePath: dir.database,
        chainId: genesis.chainId,
        treeDepth: config.store['tree-depth'],
        historyHeights: config.store['proof-blocks'],
        logger: log.child({ module: 'executor' }),
        onFailure: onHalt,
      }),
      dir.database,
    ),
  )
  const files = { wal: scope.own(await openFileLog(dir.wal)), signState: scope.own(await openFileLog(dir.signState)) }
  const transport = await createLibp2pTransport({
    key: keys.nodeKeyBytes,
    listen: config.p2p.listen,
    networkId: networkIdOf(crypto, genesis),
    logger: log.child({ module: 'network' }),
    filterByAddress: config.p2p['filter-by-address'],
  })
  const heights = new CommitHeights()
  const random = { bytes: (length: number): Uint8Array => randomBytes(length) }
  const node = orFail(
    await createNode({
      powers: {
        crypto,
        crc32c: (bytes) => crc32c(bytes),
        clock: systemClock,
        random,
        kv,
        files,
        transport,
        executor,
        recovery,
        damage,
        heights,
      },
      genesis,
      signer: createSigner(crypto, keys.validator.address, keys.validator.secretKey),
      signState,
      operator,
      resumeAfter: config.chain['resume-after'] === 0 ? undefined : Height(config.chain['resume-after']),
      bootstrapPeers: orFail(bootstrapPeers(config.p2p['bootstrap-peers']), 'p2p.bootstrap-peers'),
      logger: log,
      onHalt,
      transactionRefusal: () => health.transactionRefusal,
    }),
    dir.root,
  )
  scope.own({ close: () => node.stop() })
  await node.start()
  log.info(
    {
      chainId: genesis.chainId,
      height: node.chain.head.header.number,
      validator: keys.validator.address,
      peerId: transport.self,
      listen: transport.addresses(),
    },
    'node started',
  )
  const scrub = scope.own(new Scrub({ kv, path: dir.database, clock: systemClock, onDamage: damage.report, onFailure: onHalt }))
  const memory = watchMemory(run, node)
  const clocks = watchNetwork(run, node, transport, onHalt)
  const serving: { rpc?: RpcThread } = {}
  const metrics = scope.own(
    new NodeMetrics(node, { ...{ transport, recovery, executor, memory, clocks, disk, scrub, health }, rpc: () => serving.rpc }),
  )
  const probes = nodeProbes(run, node, transport, metrics)
  await serveProbes(run, probes)
  if (config.rpc.enabled) serving.rpc = await serveRpc(run, node, { transport, memory, damage, heights, probes })
  return { node, rpc: serving.rpc }
}

async function serveProbes({ config, log, scope }: Run, probes: Probes): Promise<void> {
  const { host, port } = config.health
  const onFailure = (err: unknown): void => log.error({ err }, 'answering a health probe failed')
  const server = scope.own(await ProbeServer.start({ host, port }, probes, onFailure))
  log.info({ host, port: server.port }, 'probes listening')
}

/** Nodes with different genesis documents never connect to each other. */
const networkIdOf = (crypto: Crypto, genesis: Genesis): string => genesisDigest(crypto, genesis).slice(2, 18)

function reportCrypto(crypto: LoadedCrypto, log: Pino): void {
  log.info({ backend: crypto.name }, 'crypto loaded')
  for (const { job, backend, reason } of crypto.refused)
    log.warn({ job, backend, reason }, 'a faster crypto backend was not used')
}
