import { madeOnce } from '../made-once.ts'

/** The answer to a probe. */
export interface Report {
  readonly isOk: boolean
  readonly body: Readonly<Record<string, unknown>>
}

/** What probes are told: `/health` whether the process works, `/ready` whether it should be sent requests, `/metrics` everything in figures. */
export interface Probes {
  live(): Promise<Report>
  ready(): Promise<Report>
  metrics(): Promise<Readonly<Record<string, number>>>
}

/** What a path is answered with. */
export interface ProbeAnswer {
  readonly status: number
  readonly type: 'application/json' | 'text/plain; version=0.0.4'
  readonly text: string
}

/** Undefined where the path is none of the probes'. */
export async function answerProbe(probes: Probes, path: string): Promise<ProbeAnswer | undefined> {
  if (path === '/metrics') return { status: 200, type: 'text/plain; version=0.0.4', text: metricsText(await probes.metrics()) }
  if (path !== '/health' && path !== '/ready') return undefined
  const report = await (path === '/health' ? probes.live() : probes.ready())
  return { status: report.isOk ? 200 : 503, type: 'application/json', text: reportText(report) }
}

/** Prometheus text format. */
const metricsText = madeOnce((metrics: Readonly<Record<string, number>>): string =>
  Object.entries(metrics)
    .map(([name, value]) => `quoin_${name} ${value}\n`)
    .join(''),
)
const reportText = madeOnce(({ body }: Report) => JSON.stringify(body))
