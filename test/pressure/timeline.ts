import type { LaneName, Observation } from './messages.ts'
import { intervalsIn, isWithin, median, quantile, type Span } from './statistics.ts'

/** Transfers of one honest sender in a phase; times in ms from first sending to the receipt at another node. */
export interface TransferFigures {
  readonly count: number
  /** Transfers that were not final when the figures were made; each counts with the time that it had waited. */
  readonly pending: number
  readonly p50Ms: number | undefined
  readonly maxMs: number | undefined
  /** Median number of blocks from the newest one that its sender knew to its own. */
  readonly p50Blocks: number | undefined
  readonly troubles: number
}

export interface ReadFigures {
  readonly count: number
  readonly lost: number
  readonly p50Ms: number | undefined
}

/** Figures of one phase of an attack. */
export interface PhaseFigures {
  readonly blocks: number
  readonly intervalMs: number
  readonly intervalMaxMs: number
  readonly transfers: Readonly<Record<LaneName, TransferFigures>>
  readonly reads: Readonly<Record<LaneName, ReadFigures>>
  /** Largest resident memory of a node. */
  readonly rssMaxBytes: number
  /** By node, to compare phases. */
  readonly rssByNode: ReadonlyMap<number, number>
  /** CPU of all validators, as a share of one core. */
  readonly cpuShare: number
  /** Largest timer delay of a main thread; 0 if no node answered. */
  readonly loopMaxMs: number
  /** Median of the time from a block's timestamp to its commit. */
  readonly finalityMs: number | undefined
  /** `/health` probes of the attacked nodes. */
  readonly probes: number
  readonly probesLost: number
  readonly poolMax: number
  /** Sessions with peers that ended, summed over all nodes. */
  readonly disconnects: number
}

/** Indices of validators. */
export interface Places {
  /** Where blocks are counted: a node that is not under attack, if there is one. */
  readonly observer: number
  readonly attacked: readonly number[]
}

type Of<K extends Observation['kind']> = Extract<Observation, { readonly kind: K }>

/** Everything that sampler and honest users have observed, in order of arrival. */
export class Timeline {
  readonly #observations: Observation[] = []

  add(observation: Observation): void {
    this.#observations.push(observation)
  }

  /** Drops older observations: a long run would keep hours of them. */
  forgetBefore(at: number): void {
    const first = this.#observations.findIndex((observation) => observation.at >= at)
    this.#observations.splice(0, first < 0 ? this.#observations.length : first)
  }

  of<K extends Observation['kind']>(kind: K, span: Span): readonly Of<K>[] {
    return this.#observations.filter(
      (observation): observation is Of<K> => observation.kind === kind && isWithin(span, observation.at),
    )
  }

  latest<K extends Observation['kind']>(kind: K, where: (observation: Of<K>) => boolean): Of<K> | undefined {
    return this.#observations.findLast(
      (observation): observation is Of<K> => observation.kind === kind && where(observation as Of<K>),
    )
  }

  /** Figures of a phase. A transfer that is not final at `now` counts with the time that it has waited. */
  figures(span: Span, { observer, attacked }: Places, now: number): PhaseFigures {
    const heads = this.of('head', span).filter(({ node }) => node === observer)
    const intervals = intervalsIn(
      span,
      heads.map(({ at }) => at),
    )
    const rssByNode = new Map<number, number>()
    for (const { node, rssBytes } of this.of('process', span)) rssByNode.set(node, Math.max(rssByNode.get(node) ?? 0, rssBytes))
    const probes = this.of('probe', span).filter(({ node }) => attacked.includes(node))
    return {
      blocks: intervals.count,
      intervalMs: intervals.meanMs,
      intervalMaxMs: intervals.maxMs,
      transfers: { near: this.#transfers('near', span, observer, now), far: this.#transfers('far', span, observer, now) },
      reads: { near: this.#reads('near', span), far: this.#reads('far', span) },
      rssMaxBytes: Math.max(0, ...rssByNode.values()),
      rssByNode,
      cpuShare: this.#cpuShare(span),
      loopMaxMs: Math.max(0, ...this.of('gauges', span).map(({ loopMaxMs }) => loopMaxMs)),
      finalityMs: median(this.of('gauges', span).map(({ finalityMs }) => finalityMs)),
      probes: probes.length,
      probesLost: probes.filter(({ ms }) => ms === undefined).length,
      disconnects: this.#disconnects(span),
      poolMax: Math.max(0, ...this.of('gauges', span).map(({ poolTransactions }) => poolTransactions)),
    }
  }

  #transfers(lane: LaneName, span: Span, observer: number, now: number): TransferFigures {
    const ofLane = <T extends { readonly lane: LaneName }>(each: T): boolean => each.lane === lane
    const ever: Span = { from: 0, to: Number.POSITIVE_INFINITY }
    const done = new Map(this.of('transfer', ever).map((each) => [`${each.lane} ${each.id}`, each]))
    const head = this.latest('head', ({ node }) => node === observer)?.height ?? 0
    const began = this.of('sent', span).filter(ofLane)
    // A transfer that is stuck all the time lets no other begin: then it counts for this phase.
    const last = this.of('sent', { from: 0, to: span.from }).findLast(ofLane)
    const sent = began.length > 0 || last === undefined ? began : [last]
    const times = sent.map(({ id, at }) => done.get(`${lane} ${id}`)?.ms ?? now - at)
    const waits = sent.map((each) => (done.get(`${lane} ${each.id}`)?.height ?? head) - each.head)
    return {
      count: sent.length,
      pending: sent.filter(({ id }) => !done.has(`${lane} ${id}`)).length,
      p50Ms: median(times),
      maxMs: quantile(times, 1),
      p50Blocks: median(waits),
      troubles: this.of('trouble', span).filter((each) => each.lane === lane).length,
    }
  }

  #reads(lane: LaneName, span: Span): ReadFigures {
    const reads = this.of('read', span).filter((each) => each.lane === lane)
    const times = reads.flatMap(({ ms }) => (ms === undefined ? [] : [ms]))
    return { count: reads.length, lost: reads.length - times.length, p50Ms: median(times) }
  }

  #disconnects(span: Span): number {
    const first = new Map<number, number>()
    const last = new Map<number, number>()
    for (const { node, disconnects } of this.of('gauges', span)) {
      if (!first.has(node)) first.set(node, disconnects)
      last.set(node, disconnects)
    }
    return [...last].reduce((sum, [node, count]) => sum + count - first.get(node)!, 0)
  }

  #cpuShare(span: Span): number {
    const first = new Map<number, Of<'process'>>()
    const last = new Map<number, Of<'process'>>()
    for (const observation of this.of('process', span)) {
      if (!first.has(observation.node)) first.set(observation.node, observation)
      last.set(observation.node, observation)
    }
    let share = 0
    for (const [node, { at, cpuMs }] of first) {
      const end = last.get(node)!
      if (end.at > at) share += (end.cpuMs - cpuMs) / (end.at - at)
    }
    return share
  }
}
