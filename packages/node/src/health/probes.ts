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

/** Texts of answers that several ask for, for as long as somebody holds these. */
const texts = new WeakMap<object, string>()

function textOf<T extends object>(value: T, make: (value: T) => string): string {
  const known = texts.get(value)
  if (known !== undefined) return known
  const text = make(value)
  texts.set(value, text)
  return text
}

/** Undefined where the path is none of the probes'. */
export async function answerProbe(probes: Probes, path: string): Promise<ProbeAnswer | undefined> {
  if (path === '/metrics')
    return { status: 200, type: 'text/plain; version=0.0.4', text: textOf(await probes.metrics(), metricsText) }
  if (path !== '/health' && path !== '/ready') return undefined
  const report = await (path === '/health' ? probes.live() : probes.ready())
  return { status: report.isOk ? 200 : 503, type: 'application/json', text: textOf(report, ({ body }) => JSON.stringify(body)) }
}

/** Prometheus text format. */
const metricsText = (metrics: Readonly<Record<string, number>>): string =>
  Object.entries(metrics)
    .map(([name, value]) => `quoin_${name} ${value}\n`)
    .join('')
