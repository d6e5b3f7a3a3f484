import { Network, type NetworkOptions, type Validator } from '../e2e/harness.ts'
import { until } from '../e2e/watch.ts'
import { SeededRandom } from '../sim/random.ts'
import { type Faults, NodeProxy } from './proxy.ts'

/** How a proxy fails for a turn. Those without `faults` are done by a method of it. */
const PROXY_FAULTS = [
  'freeze',
  'drop before',
  'drop after',
  'double',
  'status 502',
  'slow',
  'absurd height',
  'height ahead',
  'stale head',
  'stale reads',
  'refused connections',
  'reset connections',
  'half-open connections',
] as const
type ProxyFault = (typeof PROXY_FAULTS)[number]

/** What happens to validators in a turn. `halt`: two of four are down, so that the chain stops. */
export type TurnKind = 'ordinary' | 'halt'

const ABSURD_HEIGHT = 1_000_000_000

/**
 * Four validator processes, each behind a proxy of its own, and a seeded schedule of faults. Turns follow each other: a turn begins with faults, and
 * its end takes them back. In a turn one proxy lets everything through to a validator that runs; at most one validator is down, so that the chain goes on.
 */
export class FaultyNetwork {
  readonly network: Network
  readonly proxies: readonly NodeProxy[]
  readonly random: SeededRandom
  /** How often each fault was injected. */
  readonly injected = new Map<string, number>()
  /** What happened in each turn, for the message of a failure. */
  readonly turns: string[] = []
  readonly #startedAt = performance.now()
  #healing: (() => Promise<void>)[] = []

  private constructor(network: Network, proxies: readonly NodeProxy[], seed: number) {
    this.network = network
    this.proxies = proxies
    this.random = new SeededRandom(seed)
  }

  static async start(seed: number, options: NetworkOptions = {}): Promise<FaultyNetwork> {
    // Rounds end early, so that rounds of a proposer that is down cost little time.
    const parameters = { blockIntervalMs: 200, heartbeatIntervalMs: 1_000, timeoutProposeMs: 700, timeoutDeltaMs: 300 }
    const network = await Network.start({ parameters, ...options })
    const proxies = await Promise.all(network.validators.map(({ url }) => NodeProxy.start(url)))
    return new FaultyNetwork(network, proxies, seed)
  }

  /** URLs of the proxies: HTTP and WebSocket in turn. */
  get urls(): readonly string[] {
    return this.proxies.map((proxy, i) => (i % 2 === 0 ? proxy.url : proxy.socketUrl))
  }

  /** Requests that arrived at all proxies so far. */
  get arrived(): number {
    return this.proxies.reduce((sum, { arrived }) => sum + arrived.length, 0)
  }

  async beginTurn(kind: TurnKind = 'ordinary'): Promise<void> {
    const { random, proxies, network } = this
    const healthy = random.below(proxies.length)
    const height = await network.validators[healthy]!.height()
    const seconds = Math.round((performance.now() - this.#startedAt) / 1_000)
    const told: string[] = [`turn ${this.turns.length} after ${seconds} s, block ${height}: ${healthy} healthy`]
    const others = proxies.flatMap((_, i) => (i === healthy ? [] : [i]))
    const down = random.pick(others)
    const second = random.pick(others.filter((i) => i !== down))
    const fate = random.pick(['kill', 'freeze', 'none'] as const)
    const downs =
      kind === 'halt'
        ? ([
            [down, 'kill'],
            [second, 'freeze'],
          ] as const)
        : ([[down, fate]] as const)
    for (const [i, what] of downs) {
      if (what === 'none') continue
      told.push(`${what} validator ${i}`)
      await this.#down(network.validators[i]!, what)
    }
    for (const i of others) {
      if (!random.chance(0.7)) continue
      const fault = random.pick(PROXY_FAULTS)
      told.push(`${fault} at ${i}`)
      await this.#fail(proxies[i]!, fault, height)
    }
    this.turns.push(told.join(', '))
  }

  /** Takes all faults of the turn back. Resolves when every validator is where the others were. */
  async endTurn(): Promise<void> {
    for (const heal of this.#healing.splice(0).reverse()) await heal()
    const heights = await Promise.all(this.network.validators.map((validator) => validator.height()))
    await this.network.reach(Math.max(...heights))
  }

  /** Resolves when so many more requests have arrived: clients have met the faults. */
  async requests(count: number): Promise<void> {
    const goal = this.arrived + count
    await until(`${count} more requests`, async () => this.arrived >= goal, { report: () => this.report() })
  }

  report(): string {
    return `${this.turns.slice(-6).join('\n')}\n${this.network.report()}`
  }

  async close(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.close()))
    await this.network.close()
  }

  async #down(validator: Validator, what: 'kill' | 'freeze'): Promise<void> {
    this.#count(`${what} of a validator`)
    if (what === 'kill') {
      await validator.kill()
      this.#healing.push(() => validator.start())
    } else {
      validator.pause()
      this.#healing.push(async () => validator.resume())
    }
  }

  async #fail(proxy: NodeProxy, fault: ProxyFault, height: number): Promise<void> {
    this.#count(fault)
    if (fault === 'reset connections') proxy.cut()
    else if (fault === 'half-open connections') proxy.halfOpen()
    else if (fault === 'refused connections') {
      await proxy.stop()
      this.#healing.push(() => proxy.listen())
    } else {
      proxy.faults = this.#faultsOf(fault, height)
      this.#healing.push(async () => {
        proxy.faults = {}
      })
    }
  }

  #faultsOf(fault: Exclude<ProxyFault, `${string} connections`>, height: number): Faults {
    const behind = Math.max(0, height - this.random.between(1, 20))
    const faults: Record<typeof fault, Faults> = {
      freeze: { freeze: true },
      'drop before': { drop: 'before' },
      'drop after': { drop: 'after' },
      double: { double: true },
      'status 502': { status: 502 },
      slow: { delayMs: this.random.between(20, 400) },
      'absurd height': { claims: ABSURD_HEIGHT },
      'height ahead': { claims: height + this.random.between(1, 40) },
      'stale head': { head: behind, knowsMinHeight: true },
      'stale reads': { head: behind },
    }
    return faults[fault]
  }

  #count(fault: string): void {
    this.injected.set(fault, (this.injected.get(fault) ?? 0) + 1)
  }
}
