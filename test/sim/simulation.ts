import { selectProposer } from '@quoin/consensus'
import type { Executor } from '@quoin/execution'
import type { Engine } from '@quoin/execution/vm'
import { type Address, type Header, Height, Round, type ValidatorSet } from '@quoin/protocol'
import { evidenceOffender } from '../../packages/node/src/engine/evidence-pool.ts'
import type { Logger } from '../../packages/node/src/logger.ts'
import { simGenesis, validatorKey } from './genesis.ts'
import { Load } from './load.ts'
import { SimNetwork } from './network.ts'
import { type ContractCounts, checkImages, Oracle, Violation } from './oracle.ts'
import type { SeededRandom } from './random.ts'
import { SimNode } from './sim-node.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  readonly seed: number
  /** Validators. */
  readonly nodeCount?: number
  /** Nodes without a vote. */
  readonly followerCount?: number
  /** Heights that must be final before faults end. */
  readonly faultyHeights?: number
  /** Heights that must follow on every node once all is well. */
  readonly healedHeights?: number
  /** A second process with the key of the last validator, and its own disk: everything it says contradicts the first. */
  readonly twin?: boolean
  /** No loss, no crash, no partition. */
  readonly calm?: boolean
  /** Clients send transactions; yes unless false. */
  readonly load?: boolean
  readonly clientCount?: number
  /** How long a disk takes to write; else drawn. */
  readonly diskLatencyMs?: readonly [number, number]
  /** Offsets of the nodes' clocks; else drawn, within the precision. */
  readonly clockOffsetsMs?: readonly number[]
  readonly logger?: Logger
  /** Makes the contract engine of each life of a node; else all share one, which no process of a real network does. */
  readonly makeEngine?: () => Engine
  /** Puts faults into the execution of some nodes. */
  readonly wrapExecutor?: (index: number, executor: Executor) => Executor
  /** Told when a node halts; else that is a failure. */
  readonly onHalt?: (node: SimNode, error: unknown) => void
}

export interface SimulationResult {
  readonly auditHash: string
  readonly height: number
  readonly virtualMs: number
  readonly events: number
  readonly crashes: number
  readonly transactions: number
  /** What became of the transactions that concern contracts. */
  readonly contracts: Readonly<ContractCounts>
  /** Blocks that were not decided in round 0. */
  readonly roundsLost: number
  /** Who was caught signing twice, by how many nodes. */
  readonly offenders: Readonly<Record<Address, number>>
}

const CLIENTS = 6
/** First byte of a proposal on the ordered stream. */
const PROPOSAL_TAG = 0
/** Virtual time within which faults may keep the chain from growing; then they end whatever it has reached. */
const FAULTY_MS = 20_000
/** Bound within which a healed network decides. */
const HEALED_MS = 30_000

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}

/** One run of a whole network in one process, from one seed. */
export class Simulation {
  readonly world: World
  readonly network: SimNetwork
  readonly oracle: Oracle
  readonly nodes: readonly SimNode[]
  readonly #options: SimulationOptions
  readonly #faults: SeededRandom
  /** When and to whom clients send. */
  readonly #pace: SeededRandom
  readonly #load: Load
  readonly #validators: ValidatorSet
  largestProposalBytes = 0
  #started = false
  #failure: Error | undefined
  #faulty = true

  constructor(options: SimulationOptions) {
    const { seed, nodeCount = 4, followerCount = 0, clientCount = CLIENTS, twin = false, logger = silentLogger } = options
    this.#options = options
    this.world = new World(seed)
    this.network = new SimNetwork(this.world)
    this.#faults = this.world.random.fork()
    this.#pace = this.world.random.fork()
    this.#load = new Load(this.#pace.fork(), CLIENTS)
    this.oracle = new Oracle(nodeCount, twin ? [validatorKey(nodeCount - 1).address] : [])
    this.network.onSend = (from, _to, message) => {
      if (message[0] === PROPOSAL_TAG) this.largestProposalBytes = Math.max(this.largestProposalBytes, message.length)
      this.#guard(() => this.oracle.observe(from, message))
    }
    const genesis = simGenesis(nodeCount, clientCount)
    this.#validators = genesis.validators
    this.nodes = Array.from({ length: nodeCount + (twin ? 1 : 0) + followerCount }, (_, index) => {
      return new SimNode({
        isValidator: index < nodeCount || (twin && index === nodeCount),
        ...(twin && index === nodeCount ? { keyIndex: nodeCount - 1 } : {}),
        world: this.world,
        network: this.network,
        genesis,
        index,
        clockOffsetMs: options.clockOffsetsMs?.[index] ?? this.world.random.between(-80, 80),
        diskLatencyMs: options.diskLatencyMs ?? [0, this.world.random.between(1, 8)],
        logger,
        ...(options.makeEngine === undefined ? {} : { makeEngine: options.makeEngine }),
        wrapExecutor: (executor) => options.wrapExecutor?.(index, executor) ?? executor,
        onHalt: (node, error) => {
          if (options.onHalt !== undefined) options.onHalt(node, error)
          else this.#fail(new Error(`${node.peer} stopped by itself`, { cause: error }))
        },
        onCommit: (node) => this.#guard(() => this.#onCommit(node)),
      })
    })
  }

  async run(): Promise<SimulationResult> {
    const { faultyHeights = 8, healedHeights = 3 } = this.#options
    this.start()
    await this.until(() => this.oracle.height >= faultyHeights, FAULTY_MS)
    this.#heal()
    const target = this.oracle.height + healedHeights
    const progressed = await this.until(() => this.nodes.every(({ node }) => heightOf(node) >= target), HEALED_MS)
    if (!progressed) throw new Violation(`liveness: healed, ${HEALED_MS} ms later: ${this.describe()}`)
    const offenders = this.#offenders()
    await this.stop()
    for (const { peer, disk } of this.nodes) await checkImages(peer, disk.kv)
    if (this.network.penalties.length > 0 && !this.#options.twin) {
      throw new Violation(`an honest node was blamed: ${JSON.stringify(this.network.penalties.slice(0, 3))}`)
    }
    return {
      auditHash: this.world.auditHash(),
      height: this.oracle.height,
      virtualMs: this.world.nowMs,
      events: this.world.events,
      crashes: this.nodes.reduce((sum, { crashes }) => sum + crashes, 0),
      transactions: this.#load.taken,
      contracts: this.oracle.contracts,
      roundsLost: this.oracle.roundsLost,
      offenders,
    }
  }

  #offenders(): Readonly<Record<Address, number>> {
    const counts: Record<Address, number> = {}
    for (const { node } of this.nodes) {
      for (const offender of new Set(node?.evidence.map(evidenceOffender))) counts[offender] = (counts[offender] ?? 0) + 1
    }
    return counts
  }

  /** Starts every node that is down; the first time, load and faults begin too. */
  start(): void {
    const { calm = false, load = true } = this.#options
    for (const node of this.nodes) node.start()
    if (this.#started) return
    this.#started = true
    if (load) this.#sendLoad()
    if (!calm) this.#scheduleFaults()
  }

  /** Index of the validator that proposes in round 0 of a height. */
  proposerOf(height: Height): number {
    const proposer = selectProposer(this.#validators, height, Round(0))
    return this.nodes.findIndex(({ address }) => address === proposer)
  }

  /** Headers of the first node's chain. */
  headers(): readonly Header[] {
    const { blocks } = this.nodes[0]!.node!
    return Array.from({ length: blocks.head.header.number }, (_, i) => blocks.header(Height(i + 1))!.header)
  }

  describe(): string {
    return this.nodes
      .map(({ peer, node }) => {
        const status = node?.status
        return `${peer} ${heightOf(node)} ${status === undefined ? 'down' : `${status.height}/${status.round}/${status.step}`}`
      })
      .join(', ')
  }

  /** Runs until `done` holds; false when that takes longer than `limitMs`. Throws what the oracle found. */
  async until(done: () => boolean, limitMs: number): Promise<boolean> {
    const reached = await this.world.runUntil(() => this.#failure !== undefined || done(), limitMs)
    if (this.#failure !== undefined) throw this.#failure
    return reached
  }

  /** Orderly stops, while time goes on so that disks and timers can end. */
  async stop(): Promise<void> {
    let stopped = 0
    for (const node of this.nodes) {
      node.stop().then(
        () => stopped++,
        (error: unknown) => this.#fail(error),
      )
    }
    if (!(await this.until(() => stopped === this.nodes.length, 5_000))) throw new Violation('a node does not stop')
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
  }

  /** Runs a check inside the nodes' own stack without throwing there. */
  #guard(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#fail(error)
    }
  }

  #onCommit(sim: SimNode): void {
    const { node } = sim
    if (node === undefined) return
    this.world.record('head', sim.peer, node.blocks.head.hash)
    this.oracle.committed(sim.peer, node.blocks)
  }

  // ---- load

  /** Clients send to nodes of their choice; what is refused is sent again elsewhere. */
  #sendLoad(): void {
    this.world.after(this.#pace.between(1, 150), () => {
      const sim = this.#pace.pick(this.nodes)
      const { node } = sim
      if (node?.status !== undefined) {
        const sent = this.#load.next()
        void node.mempool.add(sent.raw, 'rpc').then((result) => {
          if (!sim.alive) return
          if (result.ok) this.#load.settle(sent)
          else this.#load.refuse(sent, result.error.code)
        })
      }
      this.#sendLoad()
    })
  }

  // ---- faults

  #scheduleFaults(): void {
    const faults = this.#faults
    const worst = faults.pick([0, 0.02, 0.1, 0.25])
    this.network.setDefault({
      loss: worst,
      duplication: faults.pick([0, 0.05, 0.2]),
      latencyMs: [1, faults.pick([5, 20, 60, 150])],
      cut: false,
    })
    this.#nextFault()
  }

  #nextFault(): void {
    const faults = this.#faults
    this.world.after(faults.between(50, 1_500), () => {
      if (!this.#faulty) return
      const kind = faults.below(10)
      if (kind < 4) this.#crashOne(faults.pick(this.nodes))
      else if (kind < 6) this.#cutSome()
      else if (kind < 8) this.#slowOne(faults.pick(this.nodes))
      else if (kind === 8) for (const node of this.nodes) if (faults.chance(0.7)) this.#crashOne(node)
      this.#nextFault()
    })
  }

  /** Half of the crashes come at once, the others while something is being written. */
  #crashOne(node: SimNode): void {
    if (!node.alive) return
    const downMs = this.#faults.between(1, 3_000)
    const losesLog = node.index === 0 && this.#faults.chance(0.2)
    const comeBack = () => {
      // No more than a third of the power: who has lost its log keeps silent for a height.
      if (losesLog) node.disk.loseWal()
      this.world.after(downMs, () => node.start())
    }
    if (this.#faults.chance(0.5)) return node.crashAtWrite(this.#faults.between(1, 6), comeBack)
    node.crash()
    comeBack()
  }

  /** Some directions between nodes carry nothing for a while. */
  #cutSome(): void {
    for (const from of this.nodes) {
      for (const to of this.nodes) {
        if (from === to || !this.#faults.chance(0.3)) continue
        this.network.setLink(from.peer, to.peer, { loss: 0, duplication: 0, latencyMs: [1, 5], cut: true })
        this.world.after(this.#faults.between(100, 3_000), () => this.network.setLink(from.peer, to.peer, undefined))
      }
    }
  }

  /** A clog: what one node sends takes long. */
  #slowOne(node: SimNode): void {
    for (const to of this.nodes) {
      this.network.setLink(node.peer, to.peer, { loss: 0, duplication: 0, latencyMs: [200, 900], cut: false })
      this.world.after(this.#faults.between(100, 3_000), () => this.network.setLink(node.peer, to.peer, undefined))
    }
  }

  #heal(): void {
    this.#faulty = false
    this.world.record('heal')
    this.network.heal()
    for (const node of this.nodes) {
      node.disk.onWrite = () => false
      node.start()
    }
  }
}

const heightOf = (node: SimNode['node']): number => node?.chain.head.header.number ?? -1
