import { pause } from '../../packages/node/src/abort.ts'
import { Sequencer } from '../../packages/node/src/lifecycle.ts'
import { systemClock } from '../../packages/node/src/system-clock.ts'
import { watch } from '../e2e/watch.ts'
import { Actor } from './actor.ts'
import type { Attack } from './attacks/attack.ts'
import type { Devnet } from './devnet.ts'
import type { Round } from './judge.ts'
import type { Lane, NodeView, Tally } from './messages.ts'
import type { Plan } from './plan.ts'
import type { Span } from './statistics.ts'
import { Timeline } from './timeline.ts'

/** Time limit for the network to calm down before it is restarted. */
const CALM_MS_MAX = 20_000
/** A head, and an honest transfer, must not be older than this. */
const FRESH_MS = 1_500
const POOL_CALM_MAX = 20
const CALM_TRIES_MAX = 3
/** Index of the validator that is restarted. */
const FOURTH = 3
/** Funded accounts of the honest senders. */
const ACCOUNTS = { near: 1, far: 2 } as const
/** How long observations are kept. */
const KEPT_MS = 120_000

export interface Played {
  readonly rounds: readonly Round[]
  /** Sum over the rounds. */
  readonly tally: Tally
  /** Problems of honest users during the attack, by message. */
  readonly troubles: Tally
}

/** A devnet with its sampler and its honest users: attacks run against it one after another. */
export class Arena {
  readonly devnet: Devnet
  readonly timeline = new Timeline()
  readonly #bundle: string
  readonly #plan: Plan
  readonly #sampler: Actor
  readonly #honest: Actor
  #placed = ''
  readonly #turns = new Sequencer()

  private constructor(devnet: Devnet, bundle: string, plan: Plan, actors: { sampler: Actor; honest: Actor }, timeline: Timeline) {
    this.devnet = devnet
    this.#bundle = bundle
    this.#plan = plan
    this.#sampler = actors.sampler
    this.#honest = actors.honest
    this.timeline = timeline
  }

  static async open(devnet: Devnet, bundle: string, plan: Plan): Promise<Arena> {
    const timeline = new Timeline()
    const observe = timeline.add.bind(timeline)
    const sampler = await Actor.start(bundle, { role: 'sampler', nodes: devnet.nodes }, observe)
    const honest = await Actor.start(bundle, { role: 'honest' }, observe)
    return new Arena(devnet, bundle, plan, { sampler, honest }, timeline)
  }

  /** Runs an attack as often as the plan says, after earlier attacks have ended: a test that timed out continues to run. */
  play(attack: Attack): Promise<Played> {
    return this.#turns.run(() => this.#play(attack))
  }

  async #play(attack: Attack): Promise<Played> {
    const rounds: Round[] = []
    const tally = new Map<string, number>()
    const troubles = new Map<string, number>()
    await this.devnet.setFourth(attack.withoutFourth !== true)
    for (let round = 0; round < this.#plan.rounds; round++) {
      const { figures, counts, problems } = await this.#round(attack, round)
      rounds.push(figures)
      sum(tally, counts)
      sum(troubles, problems)
    }
    return { rounds, tally: inOrder(tally), troubles: inOrder(troubles) }
  }

  async close(): Promise<void> {
    await Promise.all([this.#sampler.stop(), this.#honest.stop()])
  }

  /** A bug of the suite that one of its processes reported. */
  get failure(): string | undefined {
    return this.#sampler.failure ?? this.#honest.failure
  }

  async #round(attack: Attack, round: number) {
    const targets = this.devnet.targets(attack.front)
    this.#place(attack)
    await this.#calm(attack)
    const task = { role: 'attacker', attack: attack.name, round, targets, prepared: this.devnet.prepared } as const
    const attacker = await Actor.start(this.#bundle, task)
    try {
      return await this.#measure(attack, attacker)
    } finally {
      await attacker.stop()
    }
  }

  async #measure(attack: Attack, attacker: Actor) {
    await this.#calm(attack)
    const { quietMs, attackMs } = this.#plan
    const stretch = attack.stretch ?? 1
    const before = await this.#phase(stretch * quietMs, attack)
    attacker.send({ kind: 'begin' })
    const during = await this.#phase(stretch * attackMs, attack)
    const counts = await attacker.conclude()
    const after = await this.#phase(stretch * quietMs)
    if (attacker.failure !== undefined) throw new Error(`the attacker "${attack.name}" failed: ${attacker.failure}`)
    const found: Round = { ...this.#figures(attack, before, during, after), ended: this.devnet.ended }
    const problems = countOf(this.timeline.of('trouble', during).map(({ lane, what }) => `${lane} ${what}`))
    this.timeline.forgetBefore(Date.now() - KEPT_MS)
    if (attack.fillsPool === true || found.ended.length > 0) await this.devnet.restart()
    return { figures: found, counts, problems }
  }

  #figures(attack: Attack, before: Phase, during: Phase, after: Phase): Omit<Round, 'ended'> {
    const attacked = this.devnet.targets(attack.front).map(({ index }) => index)
    // A restarting validator answers nobody.
    const asked = attacked.filter((index) => attack.restartsFourth !== true || index !== FOURTH)
    const places = { observer: this.#observer(asked), attacked: asked }
    const of = (span: Phase) => this.timeline.figures(span, places, Date.now())
    const [beforeMs, duringMs] = [before.rejoinMs, during.rejoinMs]
    const rejoin = beforeMs === undefined || duringMs === undefined ? undefined : { beforeMs, duringMs }
    return { before: of(before), during: of(during), after: of(after), rejoin }
  }

  /** Waits this long, and longer if a restarted validator takes longer to find its peers. */
  async #phase(ms: number, attack?: Attack): Promise<Phase> {
    const from = Date.now()
    const restarted = attack?.restartsFourth === true ? this.devnet.restartFourth() : undefined
    const [rejoinMs] = await Promise.all([restarted, pause(systemClock, ms)])
    if (rejoinMs !== undefined) this.#sampler.send({ kind: 'nodes', nodes: this.devnet.nodes })
    return { from, to: Date.now(), rejoinMs }
  }

  /** Blocks are counted at a node that is not attacked, if there is one. */
  #observer(attacked: readonly number[]): number {
    return this.devnet.nodes.findLast(({ index }) => !attacked.includes(index))?.index ?? 0
  }

  /** Tells sampler and honest users which nodes run and which are attacked. */
  #place(attack: Attack): void {
    const { nodes } = this.devnet
    const targets = this.devnet.targets(attack.front)
    const others = nodes.filter(({ index }) => !targets.some((target) => target.index === index))
    const [far, receipts] = others.length >= 2 ? others : [nodes[0]!, nodes[1]!]
    const lane = (name: 'near' | 'far', send: NodeView, receipt: NodeView): Lane => ({
      ...{ name, sendPort: send.rpcPort, receiptPort: receipt.rpcPort, account: ACCOUNTS[name] },
    })
    const lanes = [lane('near', targets[0]!, far!), lane('far', far!, receipts!)]
    const placed = JSON.stringify({ nodes, lanes })
    if (placed === this.#placed) return
    this.#placed = placed
    this.#sampler.send({ kind: 'nodes', nodes })
    this.#honest.send({ kind: 'lanes', lanes, prepared: this.devnet.prepared })
  }

  /**
   * Resolves when every node makes progress, pools are empty and honest transfers become final; restarts the nodes if that takes too long.
   */
  async #calm(attack: Attack): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#untilCalm()
      } catch (failure) {
        if (tries === CALM_TRIES_MAX) throw failure
        await this.devnet.restart()
        this.#place(attack)
      }
    }
  }

  async #untilCalm(): Promise<void> {
    const report = () => this.devnet.network.report()
    await watch('a network at rest', async () => (this.#isCalm() ? true : undefined), { deadlineMs: CALM_MS_MAX, report })
  }

  #isCalm(): boolean {
    const now = Date.now()
    const heights = this.devnet.nodes.map(({ index }) => {
      const head = this.timeline.latest('head', ({ node }) => node === index)
      return head === undefined || head.at < now - FRESH_MS ? Number.NaN : head.height
    })
    const isTogether = Math.max(...heights) - Math.min(...heights) <= 1
    const isEmpty = this.devnet.nodes.every(({ index }) => {
      const gauges = this.timeline.latest('gauges', ({ node }) => node === index)
      return gauges !== undefined && gauges.at > now - FRESH_MS && gauges.poolTransactions <= POOL_CALM_MAX
    })
    const isServed = (['near', 'far'] as const).every((lane) => {
      const last = this.timeline.latest('transfer', (transfer) => transfer.lane === lane)
      return last !== undefined && last.at > now - FRESH_MS
    })
    return isTogether && isEmpty && isServed
  }
}

/** A time span of a run. */
interface Phase extends Span {
  readonly rejoinMs: number | undefined
}

function countOf(names: readonly string[]): Tally {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries(counts)
}

function sum(total: Map<string, number>, counts: Tally): void {
  for (const [name, count] of Object.entries(counts)) total.set(name, (total.get(name) ?? 0) + count)
}

const inOrder = (counts: ReadonlyMap<string, number>): Tally => Object.fromEntries([...counts].sort(([, a], [, b]) => b - a))
