import type { FastifyInstance } from 'fastify'
import type { RpcBackend } from './backend.ts'

/** The answer to a probe. */
interface Report {
  readonly isOk: boolean
  readonly body: Readonly<Record<string, unknown>>
}

/** What the server is told of the node around it. */
export interface RpcHealth {
  /** Whether the process does its work. */
  live(): Report
  /** Whether the node should be sent requests. */
  ready(): Report
  /** Why reads are refused now; undefined while they are answered. */
  readonly readRefusal: string | undefined
}

/** Of a server that has no node to look after. */
export const ALWAYS_WELL: RpcHealth = {
  live: () => ({ isOk: true, body: { status: 'ok' } }),
  ready: () => ({ isOk: true, body: { ready: true, reasons: [], warnings: [] } }),
  readRefusal: undefined,
}

/**
 * `/health` says whether the process works, `/ready` whether it should be sent requests, `/metrics` everything in figures. No rate limit
 * holds for them: a probe that is refused would have a healthy process ended.
 */
export function addProbes(
  app: FastifyInstance,
  backend: RpcBackend,
  health: RpcHealth,
  metrics: () => Readonly<Record<string, number>>,
): void {
  const unlimited = { config: { rateLimit: false } }
  for (const [path, report] of [
    ['/health', () => health.live()],
    ['/ready', () => health.ready()],
  ] as const) {
    app.get(path, unlimited, (_request, reply) => {
      const { isOk, body } = report()
      return reply.code(isOk ? 200 : 503).send({ ...body, ...positionOf(backend) })
    })
  }
  app.get('/metrics', unlimited, (_request, reply) => reply.type('text/plain; version=0.0.4').send(metricsText(metrics())))
}

function positionOf(backend: RpcBackend): Readonly<Record<string, unknown>> {
  const { header, hash } = backend.head()
  const progress = backend.syncing()
  return {
    height: header.number,
    hash,
    timeMs: header.timeMs,
    peers: backend.peerCount(),
    syncing: progress !== undefined,
    behind: progress === undefined ? 0 : progress.highest - progress.current,
  }
}

/** Prometheus text format. */
const metricsText = (metrics: Readonly<Record<string, number>>): string =>
  Object.entries(metrics)
    .map(([name, value]) => `quoin_${name} ${value}\n`)
    .join('')
