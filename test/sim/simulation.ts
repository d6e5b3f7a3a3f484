import { selectProposer } from '@quoin/consensus'
import type { Executor } from '@quoin/execution'
import type { Interpreter } from '@quoin/execution/vm'
import { type Address, type ChainParameters, type Header, Height, Round, type ValidatorSet } from '@quoin/protocol'
import { keyOf } from '../../packages/node/src/evidence/evidence-pool.ts'
import type { OperatorAccount } from '../../packages/node/src/evidence/operator-account.ts'
import type { Logger } from '../../packages/node/src/logger.ts'
import type { NodePowers } from '../../packages/node/src/node.ts'
import { type ChangeCounts, Changes } from './changes.ts'
import { DEFAULT_LASTING, Faults, type LastingFault } from './faults.ts'
import { simGenesis, validatorKey } from './genesis.ts'
import { checkHistory } from './history-check.ts'
import { Load } from './load.ts'
import { SimNetwork } from './network.ts'
import { type ContractCounts, checkImages, Oracle, Violation } from './oracle.ts'
import type { SeededRandom } from './random.ts'
import { ReplayCheck } from './replay-check.ts'
import { SimNode } from './sim-node.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  readonly seed: number
  /** Number of validators. */
  readonly nodeCount?: number
  /** Number of nodes without a vote. */
  readonly followerCount?: number
  /** Number of nodes with keys that genesis does not name. With it the governor changes validators, roles and rules all the time. */
  readonly spareCount?: number
  /** Heights that must be final before faults end. */
  readonly faultyHeights?: number
  /** Heights that must follow on every node after the network is healed. */
  readonly healedHeights?: number
  /** A second process with the key of the last validator, and its own disk: everything it sends contradicts the first. */
  readonly twin?: boolean
  /** Indexes of lying validators: their messages are not judged. */
  readonly liars?: readonly number[]
  /** No loss, no crash, no partition. */
  readonly calm?: boolean
  /** Clients send transactions. Default: true. */
  readonly load?: boolean
  readonly clientCount?: number
  /** How long a disk takes to write; drawn if undefined. */
  readonly diskLatencyMs?: readonly [number, number]
  /** How long a block takes to build, to execute and to apply; if undefined, drawn, or 0 in a calm network. */
  readonly workMs?: readonly [number, number]
  /** Permanent faults that victims may suffer; at most a third of the power has victims. */
  readonly lastingFaults?: readonly LastingFault[]
  /** Virtual time for which faults may prevent the chain from growing; then they end, whatever height is reached. */
  readonly faultyMs?: number
  /** Time limit for the healed network to decide, if it differs from that of short runs. */
  readonly healedMs?: number
  /** Minimum and maximum time between two faults. */
  readonly faultGapMs?: readonly [number, number]
  /** Share of the steps after which each log is replayed and compared. Default: 0. */
  readonly replayChance?: number
  /** Offsets of the nodes' clocks; drawn within the precision if undefined. */
  readonly clockOffsetsMs?: readonly number[]
  readonly logger?: Logger
  /** Creates the contract interpreter of each life of a node. By default all share one, unlike the processes of a real network. */
  readonly makeInterpreter?: () => Interpreter
  /** The account from which a node reports equivocation; by default none does. */
  readonly operatorOf?: (index: number) => OperatorAccount | undefined
  readonly parameters?: Partial<ChainParameters>
  /** Injects faults into the execution of some nodes. */
  readonly wrapExecutor?: (index: number, executor: Executor) => Executor
  /** Injects faults into the other powers of a node. */
  readonly wrapPowers?: (index: number, powers: NodePowers) => NodePowers
  /** Called when a node halts; without it a halt is a failure. */
  readonly onHalt?: (node: SimNode, error: unknown) => void
}

export interface SimulationResult {
  readonly auditHash: string
  readonly height: number
  readonly virtualMs: number
  readonly events: number
  readonly crashes: number
  /** Faults by kind. */
  readonly faults: Faults['counts']
  /** Nodes that stopped by themselves as they should, and logs that were replayed and compared. */
  readonly halts: number
  readonly replays: number
  readonly transactions: number
  /** Results of the transactions that concern contracts. */
  readonly contracts: Readonly<ContractCounts>
  /** Validator sets that followed each other, and what the governor did. */
  readonly sets: number
  readonly changes: Readonly<ChangeCounts>
  /** Blocks that were not decided in round 0. */
  readonly roundsLost: number
  /** Validators caught signing twice, and by how many nodes. */
  readonly offenders: Readonly<Record<Address, number>>
}

const CLIENTS = 6
/** First byte of a proposal on the ordered stream. */
const PROPOSAL_TAG = 0
const FAULTY_MS = 20_000
/** For faulty networks: one fast machine, and slower and slower ones; executing a block alone takes up to half a second. */
const FAULT_GAP_MS = [50, 1_200] as const
const WORK_MS_MAX = [1, 20, 100, 500]
const DISK_LATENCY_MS_MAX = [2, 8, 40]
/** Time limit for a healed network to decide. */
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
  readonly #faults: Faults
  readonly #replays: ReplayCheck
  /** Decides when and to which node clients send. */
  readonly #pace: SeededRandom
  readonly #load: Load
  readonly #validators: ValidatorSet
  largestProposalBytes = 0
  #started = false
  #failure: Error | undefined

  constructor(options: SimulationOptions) {
    const { seed, nodeCount = 4, followerCount = 0, spareCount = 0, clientCount = CLIENTS, twin = false, calm = false } = options
    const { logger = silentLogger } = options
    this.#options = options
    this.world = new World(seed)
    this.network = new SimNetwork(this.world)
    this.network.onHandlerFault = (error) => this.#onHandlerFault(error)
    this.#pace = this.world.random.fork()
    const changes = spareCount > 0 ? new Changes(this.#pace.fork(), nodeCount, spareCount, () => this.#chain()) : undefined
    this.#load = new Load(this.#pace.fork(), CLIENTS, changes)
    const liars = new Set(options.liars ?? (twin ? [nodeCount - 1] : []))
    this.oracle = new Oracle(
      simGenesis(nodeCount, clientCount).validators,
      [...liars].map((index) => validatorKey(index).address),
    )
    this.network.onSend = (from, _to, message) => {
      if (message[0] === PROPOSAL_TAG) this.largestProposalBytes = Math.max(this.largestProposalBytes, message.length)
      const sender = this.nodes.find(({ peer }) => peer === from)!
      this.#guard(() => {
        if (options.liars?.includes(sender.index)) return this.oracle.overhear(message)
        if (sender.isDiskBroken) throw new Violation(`${from} sends although one of its writes failed`)
        this.oracle.observe(from, message, sender.committedHeight)
      })
    }
    const genesis = simGenesis(nodeCount, clientCount, options.parameters)
    this.#validators = genesis.validators
    const workMsMax = calm ? 0 : this.world.random.pick(WORK_MS_MAX)
    this.nodes = Array.from({ length: nodeCount + (twin ? 1 : 0) + spareCount + followerCount }, (_, index) => {
      return new SimNode({
        isValidator: index < nodeCount + spareCount || (twin && index === nodeCount),
        ...(twin && index === nodeCount ? { keyIndex: nodeCount - 1 } : {}),
        operator: options.operatorOf?.(index),
        world: this.world,
        network: this.network,
        genesis,
        index,
        clockOffsetMs: options.clockOffsetsMs?.[index] ?? this.world.random.between(-80, 80),
        diskLatencyMs: options.diskLatencyMs ?? [0, calm ? 8 : this.world.random.pick(DISK_LATENCY_MS_MAX)],
        workMs: options.workMs ?? [0, workMsMax],
        logger,
        ...(options.makeInterpreter === undefined ? {} : { makeInterpreter: options.makeInterpreter }),
        wrapExecutor: (executor) => options.wrapExecutor?.(index, executor) ?? executor,
        wrapPowers: (powers) => options.wrapPowers?.(index, powers) ?? powers,
        onHalt: (node, error) => {
          if (options.onHalt !== undefined) options.onHalt(node, error)
          else this.#guard(() => this.#faults.onHalt(node, error))
        },
        onCommit: (node) => this.#guard(() => this.#onCommit(node)),
      })
    })
    const { world, network, nodes } = this
    const validatorCount = twin ? nodeCount - 1 : nodeCount
    this.#faults = new Faults({
      ...{ world, network, nodes, validatorCount },
      gapMs: options.faultGapMs ?? FAULT_GAP_MS,
      lasting: options.lastingFaults ?? (twin ? [] : DEFAULT_LASTING),
    })
    this.#replays = new ReplayCheck(this.world, this.nodes, options.replayChance ?? 0)
    this.world.afterStep = () => this.#replays.run()
  }

  async run(): Promise<SimulationResult> {
    const { faultyHeights = 8, healedHeights = 3, healedMs = HEALED_MS } = this.#options
    this.start()
    await this.until(() => this.oracle.height >= faultyHeights, this.#options.faultyMs ?? FAULTY_MS)
    this.#heal()
    const target = this.oracle.height + healedHeights
    // The start during healing may find a damaged file.
    const alive = () => this.nodes.filter((node) => !this.#faults.isLost(node))
    const progressed = await this.until(() => alive().every(({ node }) => heightOf(node) >= target), healedMs)
    if (!progressed) throw new Violation(`liveness: healed, ${healedMs} ms later: ${this.describe()}`)
    const offenders = this.#offenders()
    await this.stop()
    for (const { peer, disk, committedHeight } of alive()) {
      await checkImages(peer, disk.kv)
      await checkHistory(peer, disk.kv, committedHeight)
    }
    if (this.network.penalties.length > 0 && !this.#options.twin) {
      throw new Violation(`an honest node was penalised: ${JSON.stringify(this.network.penalties.slice(0, 3))}`)
    }
    return {
      auditHash: this.world.auditHash(),
      height: this.oracle.height,
      virtualMs: this.world.nowMs,
      events: this.world.events,
      crashes: this.nodes.reduce((sum, { crashes }) => sum + crashes, 0),
      faults: this.#faults.counts,
      halts: this.#faults.halts,
      replays: this.#replays.count,
      transactions: this.#load.taken,
      contracts: this.oracle.contracts,
      sets: this.oracle.sets,
      changes: this.#load.changes,
      roundsLost: this.oracle.roundsLost,
      offenders,
    }
  }

  #offenders(): Readonly<Record<Address, number>> {
    const counts: Record<Address, number> = {}
    for (const { node } of this.nodes) {
      for (const offender of new Set(node?.evidence.map(keyOf))) counts[offender] = (counts[offender] ?? 0) + 1
    }
    return counts
  }

  /** Starts every node that is down; the first call also starts load and faults. */
  start(): void {
    const { calm = false, load = true } = this.#options
    for (const node of this.nodes) node.start()
    if (this.#started) return
    this.#started = true
    if (load) this.#sendLoad()
    if (!calm) this.#faults.begin()
  }

  /** What the governor must know of the chain to sign for it. */
  #chain() {
    const { domain } = this.nodes.find(({ node }) => node !== undefined)!.node!.chain
    return { domain, height: this.oracle.height }
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

  /** Runs until `done` returns true; false if that takes longer than `limitMs`. Throws the oracle's findings. */
  async until(done: () => boolean, limitMs: number): Promise<boolean> {
    const reached = await this.world.runUntil(() => this.#failure !== undefined || done(), limitMs)
    if (this.#failure !== undefined) throw this.#failure
    return reached
  }

  /** Stops all nodes cleanly, while time continues so that disk writes and timers can finish. */
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

  /** Runs a check inside the nodes' own call stack without throwing there. */
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

  /** Clients send to nodes of their choice; a refused transaction is sent again to another node. */
  #sendLoad(): void {
    this.world.after(this.#pace.between(1, 150), () => {
      const sim = this.#pace.pick(this.nodes)
      const { node } = sim
      if (node?.status !== undefined) {
        const sent = this.#load.next()
        const settled = node.mempool.add(sent.raw, 'rpc').then((result) => {
          if (!sim.alive) return
          if (result.ok) this.#load.settle(sent)
          else this.#load.refuse(sent, result.error.code)
        })
        void settled.catch((error: unknown) => this.#onHandlerFault(error))
      }
      this.#sendLoad()
    })
  }

  /** If bugs are injected, the RPC server and the network handle the failures they cause; otherwise a failure is a finding. */
  #onHandlerFault(error: unknown): void {
    if (this.#options.wrapPowers === undefined) throw error
  }

  #heal(): void {
    this.world.record('heal')
    this.#faults.end()
  }
}

const heightOf = (node: SimNode['node']): number => node?.chain.head.header.number ?? -1
