import '../network/compat.ts'
import { randomBytes } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { loadCrypto } from '../crypto/load.ts'
import { openCallPool } from '../executor/call-pool.ts'
import { openProofPool } from '../executor/proof-pool.ts'
import { keptProbes } from '../health/kept-probes.ts'
import { LoopDelays } from '../health/loop-delays.ts'
import type { Logger } from '../logger.ts'
import { type RpcServer, startRpcServer } from '../rpc/server/server.ts'
import { BlockReplica } from '../store/block-replica.ts'
import { openClassicKv } from '../store/classic-kv.ts'
import { CommitHeights } from '../store/commit-heights.ts'
import type { OnDamage } from '../store/damage.ts'
import { systemClock } from '../system-clock.ts'
import { STEP_BACK, stepBack } from '../threads/thread-priority.ts'
import type { FromThread, RpcThreadData, ToThread } from './messages.ts'
import { NodeLink } from './node-link.ts'
import { ThreadBackend } from './thread-backend.ts'

/** The RPC thread: the server, and a backend with its own handle of the node's database, which it only reads. */
if (parentPort === null) throw new Error('rpc-worker must run in a worker thread')
const port = parentPort
// The threads of calls and proofs, which this thread starts, have its priority.
stepBack(STEP_BACK.clients)
const data = workerData as RpcThreadData
const send = (message: FromThread): void => port.postMessage(message)

/** Interval at which statistics are sent. */
const STATS_MS = 1_000
/** Maximum number of log lines per STATS_MS, because clients can cause log lines. */
const LINES_MAX = 20

let lines = 0
const line =
  (level: 'info' | 'warn' | 'error') =>
  (fields: object, message: string): void => {
    if (lines++ < LINES_MAX) send({ kind: 'log', level, fields, message })
  }
const logger: Logger = { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error'), child: () => logger }

const onDamage: OnDamage = ({ finding, key }) => send({ kind: 'damage', damage: { finding, key } })
const crypto = await loadCrypto()
const kv = await openClassicKv(data.databasePath, { onDamage })
const calls = openCallPool({
  ...{ databasePath: data.databasePath, chainId: data.chainId, limits: data.calls, clock: systemClock, logger, onDamage },
})
const proofs = openProofPool({ databasePath: data.databasePath, clock: systemClock, logger, onDamage })
const link = new NodeLink(send)
const backend = new ThreadBackend({
  ...{
    chainId: data.chainId,
    clientVersion: data.clientVersion,
    crypto,
    kv,
    calls,
    proofs,
    link,
    head: data.head,
    news: data.news,
  },
  proofBlocks: data.proofBlocks,
  blocks: new BlockReplica(kv, crypto, onDamage, data.head.height),
  heights: new CommitHeights(data.heights),
  followPool: (isWanted) => send({ kind: 'follow-pool', isWanted }),
})

const probes = keptProbes(
  {
    live: () => link.ask<'live'>({ kind: 'live' }),
    ready: () => link.ask<'ready'>({ kind: 'ready' }),
    metrics: () => link.ask<'metrics'>({ kind: 'metrics' }),
  },
  systemClock,
)

async function listen(): Promise<RpcServer | undefined> {
  try {
    return await startRpcServer(backend, {
      host: data.host,
      port: data.port,
      settings: data.settings,
      clock: systemClock,
      random: { bytes: (length) => randomBytes(length) },
      logger,
      readRefusal: () => backend.readRefusal,
      probes,
    })
  } catch (failure) {
    const { code, message } = failure as NodeJS.ErrnoException
    send({ kind: 'not-listening', code, message })
    return undefined
  }
}

// News that arrives before the server listens waits in the port, which has no listener yet.
const server = await listen()
const loop = new LoopDelays(systemClock)
const stats = setInterval(() => {
  lines = 0
  if (server === undefined) return
  const { p99Ms: loopDelayP99Ms, maxMs: loopDelayMaxMs } = loop.read()
  const { heapUsed: heapBytes } = process.memoryUsage()
  send({
    kind: 'stats',
    stats: { server: server.counters, calls: calls.stats, proofs: proofs.stats, heapBytes, loopDelayP99Ms, loopDelayMaxMs },
  })
}, STATS_MS)

async function close(): Promise<void> {
  clearInterval(stats)
  loop.close()
  // The server waits for running calls and proofs, so close all at the same time.
  await Promise.all([server?.close(), calls.close(), proofs.close()])
  await kv.close()
  port.close()
}

function receive(message: ToThread): void {
  switch (message.kind) {
    case 'news':
      backend.moveTo(message.head)
      backend.tell(message.news, message.admitted)
      return send({ kind: 'seen' })
    case 'answers':
      backend.moveTo(message.head)
      return link.answer(message.answers)
    case 'settings':
      return server?.set(message.settings)
    case 'drop-caches':
      calls.dismissIdle()
      proofs.dismissIdle()
      server?.dropCaches()
      return backend.dropCaches()
    case 'close':
      return void close()
  }
}

port.on('message', receive)
if (server === undefined) await close()
else send({ kind: 'listening', port: server.port })
