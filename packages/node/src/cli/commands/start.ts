import '../../compat.ts'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { crc32c } from '@node-rs/crc32'
import { type Crypto, type Genesis, genesisDigest, nobleCrypto } from '@quoin/protocol'
import { type Logger as Pino, pino } from 'pino'
import { type Config, loadConfig } from '../../config/index.ts'
import { type LoadedCrypto, loadCrypto } from '../../crypto/load.ts'
import { startRecoveryPool } from '../../crypto/recovery-pool.ts'
import { HaltError } from '../../engine/halt.ts'
import { createSigner } from '../../engine/private-validator.ts'
import type { SignStateOptions } from '../../engine/sign-custody.ts'
import { type CallPool, openCallPool } from '../../executor/call-pool.ts'
import { startWorkerExecutor, type WorkerExecutor } from '../../executor/worker-executor.ts'
import { type DataDir, dataDir } from '../../keys/data-dir.ts'
import { developmentAddresses } from '../../keys/development.ts'
import { type NodeKeys, readKeys } from '../../keys/node-files.ts'
import { type Closable, Scope } from '../../lifecycle.ts'
import { createLibp2pTransport, type Libp2pTransport, systemClock } from '../../network/index.ts'
import { createNode, type Node } from '../../node.ts'
import type { Random } from '../../powers.ts'
import { createNodeBackend, DEFAULT_RPC_LIMITS, type RpcServer, startRpcServer } from '../../rpc/index.ts'
import { openClassicKv } from '../../store/classic-kv.ts'
import { openFileLog } from '../../store/file-log.ts'
import { lockDirectory } from '../../store/lock.ts'
import { CommandFailure, orFail } from '../failure.ts'
import { readGenesisFile } from '../genesis-file.ts'
import { writeHaltReport } from '../halt-report.ts'
import { NodeMetrics } from '../metrics.ts'
import { type Shutdown, systemShutdown, type Terminable } from '../shutdown.ts'
import { stopSignal } from '../stop-signal.ts'
import { CLIENT_VERSION } from './version.ts'

/** Runs the node of a data directory until SIGINT, SIGTERM, or the end of the process that started it with an IPC channel. */
export async function start(
  root: string,
  flags: Readonly<Record<string, string | undefined>>,
  signState: SignStateOptions = {},
): Promise<void> {
  const stopped = stopSignal()
  const dir = dataDir(root)
  const config = orFail(loadConfig({ file: await readConfigFile(dir), env: process.env, flags }), 'configuration')
  const genesis = await readGenesis(dir)
  const keys = orFail(await readKeys(nobleCrypto, dir), root)
  requireRealKeys(genesis, keys)
  const log = pino({ level: config.log.level, base: null })
  const scope = new Scope((err, name) => log.fatal({ err }, `${name} failed`))
  const shutdown = systemShutdown((message) => log.warn({}, message))
  const ending = stopped.then(() => shutdown.begin())
  try {
    scope.own(orFail(await lockDirectory(dir.root), 'data directory'))
    const rpc = await run({ dir, config, genesis, keys, signState, log, scope, shutdown })
    process.send?.({ kind: 'ready', rpcPort: rpc?.port ?? 0 })
    await ending
    log.info({}, 'stopping')
  } catch (err) {
    if (!shutdown.isForced) throw err
    log.warn({ err }, 'stopped before the node was up')
  } finally {
    await close(scope, shutdown, log)
    // Our end of the parent's channel would keep the process alive.
    if (process.connected) process.disconnect()
  }
  log.info({}, 'stopped')
}

/** What was waiting for threads that were ended fails, and nothing is lost by it. */
async function close(scope: Scope, shutdown: Shutdown, log: Pino): Promise<void> {
  try {
    await scope.close()
  } catch (err) {
    if (!shutdown.isForced) throw err
    log.warn({ err }, 'stopped in the midst of work')
  }
}

async function readConfigFile(dir: DataDir): Promise<{ readonly name: string; readonly text: string } | undefined> {
  try {
    return { name: dir.config, text: await readFile(dir.config, 'utf8') }
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure
    return undefined
  }
}

async function readGenesis(dir: DataDir): Promise<Genesis> {
  try {
    return await readGenesisFile(dir.genesis)
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure
    throw new CommandFailure(
      `${dir.genesis} does not exist: make a data directory with quoin init, and put the chain's genesis.json into it`,
    )
  }
}

/** Everybody knows the development keys: a chain that is not for development must not trust one. */
function requireRealKeys(genesis: Genesis, { validator }: NodeKeys): void {
  if (genesis.development) return
  const known = developmentAddresses(nobleCrypto)
  if (known.has(validator.address))
    throw new CommandFailure(
      `the validator key is a development key (${validator.address}), and genesis does not say "development": true: make a key with quoin init`,
    )
  const voter = genesis.validators.validators.find(({ address }) => known.has(address))
  if (voter !== undefined)
    throw new CommandFailure(`genesis names the development key ${voter.address} as a validator without "development": true`)
  const funded = genesis.alloc.find(({ address }) => known.has(address))
  if (funded !== undefined)
    throw new CommandFailure(`genesis funds the development account ${funded.address} without "development": true`)
}

interface Run {
  readonly dir: DataDir
  readonly config: Config
  readonly genesis: Genesis
  readonly keys: NodeKeys
  readonly signState: SignStateOptions
  readonly log: Pino
  readonly scope: Scope
  readonly shutdown: Shutdown
}

/** Opens the real powers, the node over them and the RPC before it; the scope closes them in the opposite order. */
async function run({ dir, config, genesis, keys, signState, log, scope, shutdown }: Run): Promise<RpcServer | undefined> {
  const crypto = await loadCrypto()
  reportCrypto(crypto, log)
  const onHalt = (err: unknown): void => {
    log.fatal({ err }, 'the node has halted: it serves what it has and takes no further part')
    if (err instanceof HaltError) log.fatal({ file: writeHaltReport(dir.haltReport, err) }, 'the block it halted at is kept')
  }
  const kv = scope.own(await openClassicKv(dir.database))
  const recovery = ownThreads(
    { scope, shutdown },
    await startRecoveryPool({
      workers: config.crypto['recovery-workers'],
      onWorkerLost: (error) => log.warn({ error }, 'a worker of sender recovery died: another one takes its place'),
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
  const random = { bytes: (length: number): Uint8Array => randomBytes(length) }
  const node = orFail(
    await createNode({
      powers: { crypto, crc32c: (bytes) => crc32c(bytes), clock: systemClock, random, kv, files, transport, executor, recovery },
      genesis,
      signer: createSigner(crypto, keys.validator.address, keys.validator.secretKey),
      signState,
      logger: log,
      onHalt,
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
  return config.rpc.enabled
    ? serveRpc({ dir, config, genesis, log, scope, shutdown }, node, { crypto, random, kv, transport, recovery, executor })
    : undefined
}

/** Threads that close with the scope, and are ended where that takes too long. */
const ownThreads = <T extends Closable & Terminable>({ scope, shutdown }: Pick<Run, 'scope' | 'shutdown'>, threads: T): T =>
  scope.own(shutdown.own(threads))

/** Chains of different genesis documents never speak to each other. */
const networkIdOf = (crypto: Crypto, genesis: Genesis): string => genesisDigest(crypto, genesis).slice(2, 18)

function reportCrypto(crypto: LoadedCrypto, log: Pino): void {
  log.info({ backend: crypto.name }, 'crypto loaded')
  for (const { job, backend, reason } of crypto.refused)
    log.warn({ job, backend, reason }, 'a faster crypto backend was passed over')
}

/** The threads behind `eth_call`: one on a machine of one or two cores, else two, where the configuration leaves it open. */
function openCalls({ dir, config, genesis, log }: Pick<Run, 'dir' | 'config' | 'genesis' | 'log'>): CallPool {
  const wanted = config.rpc['call-workers']
  const workers = wanted > 0 ? wanted : availableParallelism() > 2 ? 2 : 1
  return openCallPool({
    databasePath: dir.database,
    chainId: genesis.chainId,
    limits: { workers, callMs: config.rpc['call-ms'] },
    clock: systemClock,
    logger: log.child({ module: 'calls' }),
  })
}

async function serveRpc(
  { dir, config, genesis, log, scope, shutdown }: Omit<Run, 'keys' | 'signState'>,
  node: Node,
  parts: {
    readonly crypto: Crypto
    readonly random: Random
    readonly kv: Awaited<ReturnType<typeof openClassicKv>>
    readonly transport: Libp2pTransport
    readonly recovery: Awaited<ReturnType<typeof startRecoveryPool>>
    readonly executor: WorkerExecutor
  },
): Promise<RpcServer> {
  const { crypto, random, kv, transport } = parts
  const calls = ownThreads({ scope, shutdown }, openCalls({ dir, config, genesis, log }))
  const metrics = scope.own(new NodeMetrics(node, { ...parts, calls }))
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
    syncing: () => progressOf(node),
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
    }),
  )
  log.info({ host: server.host, port: server.port }, 'rpc listening')
  return server
}

function progressOf({ chain, sync }: Node): { readonly current: number; readonly highest: number } | undefined {
  const current = chain.head.header.number
  return sync.highest > current ? { current, highest: sync.highest } : undefined
}
