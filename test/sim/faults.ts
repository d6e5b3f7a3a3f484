import { CorruptFileError } from '../../packages/node/src/engine/record-file.ts'
import type { Backup, DiskFault } from './disk.ts'
import type { SimNetwork } from './network.ts'
import { Violation } from './oracle.ts'
import type { SeededRandom } from './random.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

/** Temporary faults: the affected node loses nothing durable. */
const PASSING = [
  'crash',
  'crash-at-write',
  'crash-of-many',
  'cut',
  'clog',
  'slow',
  'pause',
  'clock-jump',
  'clock-drift',
  'disk-error',
  'disk-full',
] as const
/** Faults that cost a node durable data. A run draws one of them for each of its at most f victims, for the whole run. */
const LASTING = ['lose-log', 'lose-synced', 'rot-log', 'rot-sign-state', 'old-database', 'wipe'] as const
/**
 * Everything returns to an older state, and nothing on the disk shows it. A validator learns it from its peers, if their messages reach it.
 * If the network loses them in the height of the copy, it may sign conflicting votes (ADR 13). Not in the default runs.
 */
const UNSAID = ['old-backup'] as const

export type PassingFault = (typeof PASSING)[number]
export type LastingFault = (typeof LASTING)[number] | (typeof UNSAID)[number]
export type FaultKind = PassingFault | LastingFault

export const DEFAULT_LASTING: readonly LastingFault[] = LASTING
export const FAULT_KINDS: readonly FaultKind[] = [...PASSING, ...LASTING, ...UNSAID]

/** Relative frequency of each fault. */
const WEIGHTS: Readonly<Record<PassingFault, number>> = {
  crash: 3,
  'crash-at-write': 3,
  'crash-of-many': 1,
  cut: 3,
  clog: 2,
  slow: 2,
  pause: 2,
  'clock-jump': 1,
  'clock-drift': 1,
  'disk-error': 1,
  'disk-full': 1,
}
/** Share of all faults that strike a victim. */
const LASTING_CHANCE = 0.15

export interface FaultOptions {
  readonly world: World
  readonly network: SimNetwork
  readonly nodes: readonly SimNode[]
  /** Validators with a key of their own. At most a third of their power loses its memory. */
  readonly validatorCount: number
  /** Minimum and maximum time between two faults. */
  readonly gapMs: readonly [number, number]
  /** Faults that victims may suffer. */
  readonly lasting: readonly LastingFault[]
}

/** The fault that must explain a node's halt. */
type Excuse = 'disk' | 'log' | 'sign-state' | 'database'

/** Causes faults by the seed's numbers, counts them, and acts as the operator of nodes that stopped because of them. */
export class Faults {
  readonly #options: FaultOptions
  readonly #random: SeededRandom
  readonly #ailments = new Map<SimNode, LastingFault>()
  readonly #excuses = new Map<SimNode, Excuse>()
  readonly #backups = new Map<SimNode, Backup>()
  readonly #counts = new Map<FaultKind, number>()
  /** Nodes that no operator may start again in this run. */
  readonly #lost = new Set<SimNode>()
  #active = true
  /** Nodes that stopped by themselves, as they should. */
  halts = 0

  constructor(options: FaultOptions) {
    const { world, nodes, validatorCount, lasting } = options
    this.#options = options
    this.#random = world.random.fork()
    const validators = nodes.slice(0, validatorCount)
    for (let left = Math.floor((validatorCount - 1) / 3); left > 0 && lasting.length > 0; left--) {
      const [victim] = validators.splice(this.#random.below(validators.length), 1)
      this.#ailments.set(victim!, this.#random.pick(lasting))
    }
  }

  get counts(): Readonly<Partial<Record<FaultKind, number>>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  isLost(node: SimNode): boolean {
    return this.#lost.has(node)
  }

  begin(): void {
    const random = this.#random
    this.#options.network.setDefault({
      loss: random.pick([0, 0.02, 0.1, 0.25]),
      duplication: random.pick([0, 0.05, 0.2]),
      latencyMs: [1, random.pick([5, 20, 60, 150])],
      cut: false,
    })
    this.#next()
  }

  /** Ends all faults, except those that cannot be repaired. */
  end(): void {
    this.#active = false
    this.#options.network.heal()
    for (const node of this.#options.nodes) {
      node.disk.onWrite = () => false
      node.slow(1)
      node.clock.correct()
      node.resume()
      this.#repair(node)
      if (!this.isLost(node)) node.start()
    }
  }

  /** Handles a node that stopped by itself. Throws unless a fault of this run is the reason and the error says so. */
  onHalt(node: SimNode, error: unknown): void {
    const excuse = this.#excuses.get(node)
    const isDisk = error instanceof Error && 'code' in error && (error.code === 'EIO' || error.code === 'ENOSPC')
    const isFitting = excuse === 'disk' ? isDisk : excuse !== undefined && error instanceof CorruptFileError
    if (!isFitting) throw new Violation(`${node.peer} stopped by itself, without a fault that explains it`, { cause: error })
    this.halts++
    this.#options.world.record('halt', node.peer)
    if (!this.#active) return this.#restart(node)
    this.#options.world.after(this.#random.between(200, 2_000), () => this.#restart(node))
  }

  #restart(node: SimNode): void {
    if (node.alive) return
    this.#repair(node)
    if (!this.isLost(node)) node.start()
  }

  /** Does what the error advises the operator of a stopped node to do. */
  #repair(node: SimNode): void {
    node.disk.fail(undefined)
    if (node.alive || node.halted === undefined) return
    const excuse = this.#excuses.get(node)
    this.#excuses.delete(node)
    if (excuse === 'log') node.disk.loseWal()
    if (excuse === 'database') node.disk.wipeButSignState()
    if (excuse === 'sign-state') this.#lost.add(node)
  }

  #next(): void {
    this.#options.world.after(this.#random.between(...this.#options.gapMs), () => {
      if (!this.#active) return
      const victims = [...this.#ailments]
      if (victims.length > 0 && this.#random.chance(LASTING_CHANCE)) this.#afflict(...this.#random.pick(victims))
      else this.#disturb(this.#random.pick(DECK))
      this.#next()
    })
  }

  #count(kind: FaultKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
    this.#options.world.record('fault', kind)
  }

  #disturb(kind: PassingFault): void {
    const node = this.#random.pick(this.#options.nodes)
    switch (kind) {
      case 'cut':
        this.#count(kind)
        return this.#cutSome()
      case 'clog':
        this.#count(kind)
        return this.#clog(node)
      case 'crash-of-many':
        this.#count(kind)
        for (const each of this.#options.nodes) if (this.#random.chance(0.7)) this.#crash(each)
        return
      default:
        if (!node.alive || node.paused) return
        this.#count(kind)
        return this.#disturbNode(node, kind)
    }
  }

  #disturbNode(node: SimNode, kind: Exclude<PassingFault, 'cut' | 'clog' | 'crash-of-many'>): void {
    const random = this.#random
    switch (kind) {
      case 'crash':
        return this.#crash(node)
      case 'crash-at-write':
        return node.crashAtWrite(random.between(1, 6), () => this.#startLater(node))
      case 'slow':
        node.slow(random.between(2, 10))
        return this.#later(3_000, () => node.slow(1))
      case 'pause':
        node.pause()
        return this.#later(3_000, () => node.resume())
      case 'clock-jump': {
        node.clock.jump(random.between(-5_000, 5_000))
        return this.#later(4_000, () => node.clock.correct())
      }
      case 'clock-drift':
        node.clock.drift(random.between(-50_000, 50_000))
        return this.#later(10_000, () => node.clock.correct())
      case 'disk-error':
        return this.#failDisk(node, 'EIO')
      case 'disk-full':
        return this.#failDisk(node, 'ENOSPC')
    }
  }

  #later(msMax: number, action: () => void): void {
    this.#options.world.after(this.#random.between(50, msMax), () => {
      if (this.#active) action()
    })
  }

  #failDisk(node: SimNode, fault: DiskFault): void {
    if (this.#isExcused(node)) return
    this.#excuses.set(node, 'disk')
    node.disk.fail(fault)
  }

  /** Whether a node may still stop because of a fault. Damage to files shows when they are opened, or it did no harm. */
  #isExcused(node: SimNode): boolean {
    const excuse = this.#excuses.get(node)
    if (excuse !== undefined && excuse !== 'disk' && node.node?.status !== undefined) this.#excuses.delete(node)
    return this.#excuses.has(node)
  }

  #crash(node: SimNode): void {
    if (!node.alive) return
    node.crash()
    this.#startLater(node)
  }

  #startLater(node: SimNode): void {
    this.#options.world.after(this.#random.between(1, 3_000), () => {
      if (!this.isLost(node) && node.halted === undefined) node.start()
    })
  }

  /** Destroys durable data of a node, and ends its process. */
  #afflict(node: SimNode, kind: LastingFault): void {
    if (this.isLost(node) || node.halted !== undefined || this.#isExcused(node)) return
    if ((kind === 'old-database' || kind === 'old-backup') && !this.#backups.has(node)) {
      this.#backups.set(node, node.disk.backup())
      return
    }
    this.#count(kind)
    node.crash()
    this.#spoil(node, kind)
    this.#startLater(node)
  }

  #spoil(node: SimNode, kind: LastingFault): void {
    const { disk } = node
    switch (kind) {
      case 'lose-log':
        return disk.loseWal()
      case 'lose-synced':
        // The remaining bytes may end within the file's header.
        this.#excuses.set(node, 'log')
        disk.wal.loseSynced(this.#random)
        return
      case 'rot-log':
        if (disk.wal.rot(this.#random)) this.#excuses.set(node, 'log')
        return
      case 'rot-sign-state':
        if (disk.signState.rot(this.#random)) this.#excuses.set(node, 'sign-state')
        return
      case 'old-database':
        this.#excuses.set(node, 'database')
        disk.kv = this.#takeBackup(node).kv.clone()
        return
      case 'wipe':
        return disk.wipe()
      case 'old-backup':
        return disk.restore(this.#takeBackup(node))
    }
  }

  #takeBackup(node: SimNode): Backup {
    const backup = this.#backups.get(node)!
    this.#backups.delete(node)
    return backup
  }

  /** Blocks some directions between nodes for a while. */
  #cutSome(): void {
    const { nodes, network } = this.#options
    for (const from of nodes) {
      for (const to of nodes) {
        if (from === to || !this.#random.chance(0.3)) continue
        network.setLink(from.peer, to.peer, { loss: 0, duplication: 0, latencyMs: [1, 5], cut: true })
        this.#later(3_000, () => network.setLink(from.peer, to.peer, undefined))
      }
    }
  }

  /** Delays everything that one node sends. */
  #clog(node: SimNode): void {
    const { nodes, network } = this.#options
    for (const to of nodes) {
      network.setLink(node.peer, to.peer, { loss: 0, duplication: 0, latencyMs: [200, 900], cut: false })
      this.#later(3_000, () => network.setLink(node.peer, to.peer, undefined))
    }
  }
}

/** Each kind as often as its weight. */
const DECK: readonly PassingFault[] = PASSING.flatMap((kind) => new Array<PassingFault>(WEIGHTS[kind]).fill(kind))
