import { madeOnce } from '../made-once.ts'

/** The answer to a probe. */
export interface Report {
  readonly isOk: boolean
  readonly body: Readonly<Record<string, unknown>>
}

/** Answers to the probes: `live` for `/health` (the process works), `ready` for `/ready` (send it requests), `metrics` for `/metrics`. */
export interface Probes {
  live(): Promise<Report>
  ready(): Promise<Report>
  metrics(): Promise<Readonly<Record<string, number>>>
}

/** HTTP answer to a probe. */
export interface ProbeAnswer {
  readonly status: number
  readonly type: 'application/json' | 'text/plain; version=0.0.4'
  readonly text: string
}

/** @returns The answer for a probe's path; undefined for any other path. */
export async function answerProbe(probes: Probes, path: string): Promise<ProbeAnswer | undefined> {
  if (path === '/metrics') return { status: 200, type: 'text/plain; version=0.0.4', text: metricsText(await probes.metrics()) }
  if (path !== '/health' && path !== '/ready') return undefined
  const report = await (path === '/health' ? probes.live() : probes.ready())
  return { status: report.isOk ? 200 : 503, type: 'application/json', text: reportText(report) }
}

/** Metrics in the Prometheus text format. */
const metricsText = madeOnce((metrics: Readonly<Record<string, number>>): string =>
  Object.entries(metrics)
    .map(([name, value]) => `quoin_${name} ${value}\n`)
    .join(''),
)
const reportText = madeOnce(({ body }: Report) => JSON.stringify(body))
