import { createExecutor, type Executor } from '@quoin/execution'
import type { Interpreter } from '@quoin/execution/vm'
import { type Genesis, type Height, unwrap } from '@quoin/protocol'
import { createInlineRecovery } from '../../packages/node/src/crypto/recovery.ts'
import { createSigner } from '../../packages/node/src/engine/private-validator.ts'
import type { OperatorAccount } from '../../packages/node/src/evidence/operator-account.ts'
import type { Logger } from '../../packages/node/src/logger.ts'
import { createNode, type Node, type NodePowers } from '../../packages/node/src/node.ts'
import type { PeerId } from '../../packages/node/src/powers.ts'
import { crc32cTable } from '../../packages/node/test/crc32c.ts'
import { testInterpreter } from '../../packages/node/test/interpreter.ts'
import { simCrypto } from './crypto.ts'
import { Disk } from './disk.ts'
import { CHAIN_ID, EPOCH_MS, validatorKey } from './genesis.ts'
import { Life, SimClock, WallClock } from './life.ts'
import type { SimNetwork } from './network.ts'
import type { SeededRandom } from './random.ts'
import { timedExecutor } from './work.ts'
import type { World } from './world.ts'

/** Heights whose state a node can still prove; older ones are pruned. */
export const HISTORY_HEIGHTS = 16

/** Size of a file without records: a crash may have happened between the two writes that create a sign state. */
const RECORD_FILE_HEAD_BYTES = 16

/** Loaded before any world begins: reading its file is real I/O, which virtual time does not wait for. */
const sharedInterpreter = await testInterpreter()

export interface SimNodeOptions {
  readonly world: World
  readonly network: SimNetwork
  readonly genesis: Genesis
  readonly index: number
  readonly isValidator: boolean
  /** Index of the voting key it uses; its own unless it is a twin. */
  readonly keyIndex?: number
  /** The account from which it reports equivocation. */
  readonly operator?: OperatorAccount | undefined
  readonly clockOffsetMs: number
  readonly diskLatencyMs: readonly [number, number]
  /** How long a block takes to build, to execute, and to apply after its commit. */
  readonly workMs: readonly [number, number]
  readonly logger: Logger
  /** Creates the contract interpreter of each life; by default all nodes of this process share one. */
  readonly makeInterpreter?: () => Interpreter
  /** Injects a fault into a node's execution. */
  readonly wrapExecutor?: (executor: Executor) => Executor
  readonly wrapPowers?: (powers: NodePowers) => NodePowers
  readonly onHalt: (node: SimNode, error: unknown) => void
  /** Called after each commit of each life. */
  readonly onCommit: (node: SimNode) => void
}

/** A validator with its disk; its process may crash and be started again. */
export class SimNode {
  readonly peer: PeerId
  readonly index: number
  readonly disk: Disk
  /** The operator vouches at each start that nothing was signed from this height on. */
  voteFrom: Height | undefined
  readonly clock: WallClock
  readonly #options: SimNodeOptions
  readonly #random: SeededRandom
  readonly #workRandom: SeededRandom
  #life: Life | undefined
  #node: Node | undefined
  #slowness = 1
  crashes = 0
  /** The error with which it stopped by itself, until the operator handles it. */
  halted: unknown

  constructor(options: SimNodeOptions) {
    const { world, index, diskLatencyMs, clockOffsetMs } = options
    this.#options = options
    this.index = index
    this.peer = `node-${index}`
    this.disk = new Disk(world, diskLatencyMs)
    this.clock = new WallClock(world, EPOCH_MS + clockOffsetMs)
    this.#random = world.random.fork()
    this.#workRandom = world.random.fork()
  }

  get alive(): boolean {
    return this.#life?.alive === true
  }

  get paused(): boolean {
    return this.#life?.paused === true
  }

  get isValidator(): boolean {
    return this.#options.isValidator
  }

  /** Undefined while it is down or starting. */
  get node(): Node | undefined {
    return this.alive ? this.#node : undefined
  }

  /** Whether a write of this life has failed. */
  get isDiskBroken(): boolean {
    return this.alive && this.disk.failed === this.#life
  }

  /** Height of its last block when it was last seen alive. */
  get committedHeight(): number {
    return this.#node?.chain.head.header.number ?? -1
  }

  get address() {
    return validatorKey(this.#options.keyIndex ?? this.index).address
  }

  /** Starts a process from the content of the disk. */
  start(): void {
    if (this.alive) return
    const life = new Life(this.#options.world)
    this.#life = life
    this.#node = undefined
    this.halted = undefined
    this.#run(life).catch((error: unknown) => this.#halt(life, error))
  }

  /** Kills the process immediately. */
  crash(): void {
    if (!this.alive) return
    this.crashes++
    this.#end()
    this.#options.world.record('crash', this.peer)
  }

  /** From now on disk and execution are slower by this factor. */
  slow(factor: number): void {
    this.#slowness = factor
    this.disk.slowness = factor
  }

  pause(): void {
    this.#life?.pause()
  }

  resume(): void {
    this.#life?.resume()
  }

  /** Kills the process during its `count`-th write from now; work that does not wait for the write still happens. Then calls `then`. */
  crashAtWrite(count: number, then: () => void): void {
    let left = count
    this.disk.onWrite = () => {
      if (--left > 0) return false
      if (left < 0) return true
      this.#options.world.after(0, () => {
        this.disk.onWrite = () => false
        this.crash()
        then()
      })
      return true
    }
  }

  /** A clean stop; the process has ended when it resolves. */
  async stop(): Promise<void> {
    if (!this.alive) return
    await this.#node?.stop()
    this.#life?.end()
  }

  #end(): void {
    this.#life?.end()
    this.#options.network.down(this.peer)
    this.disk.crash()
  }

  /** A process that cannot continue ends, and reports why. */
  #halt(life: Life, error: unknown): void {
    if (!life.alive) return
    this.halted = error
    this.#end()
    this.#options.onHalt(this, error)
  }

  async #run(life: Life): Promise<void> {
    const { world, network, genesis, isValidator, workMs, logger } = this.#options
    const { kv, wal, signState } = this.disk.open(life)
    const interpreter = this.#options.makeInterpreter?.() ?? sharedInterpreter
    const state = { kv, crypto: simCrypto, chainId: CHAIN_ID, interpreter, treeDepth: 4, historyHeights: HISTORY_HEIGHTS }
    const bare = unwrap(await createExecutor(state))
    const executor = timedExecutor(bare, life, () => this.#workRandom.between(...workMs) * this.#slowness)
    const { address, secretKey } = validatorKey(this.#options.keyIndex ?? this.index)
    const powers: NodePowers = {
      crypto: simCrypto,
      crc32c: crc32cTable,
      clock: new SimClock(world, this.clock, life),
      random: this.#random,
      kv,
      files: { wal, signState },
      transport: network.open(this.peer, life),
      executor: this.#options.wrapExecutor?.(executor) ?? executor,
      recovery: createInlineRecovery(simCrypto),
    }
    const created = await createNode({
      powers: this.#options.wrapPowers?.(powers) ?? powers,
      genesis,
      operator: this.#options.operator,
      signer: isValidator ? createSigner(simCrypto, address, secretKey) : undefined,
      // A key is created with its sign state; here the first start creates it. After a wipe the operator reports that it is lost.
      signState: {
        missing: this.disk.isAnother && this.disk.signState.length <= RECORD_FILE_HEAD_BYTES ? 'lost' : 'new-key',
        voteFrom: this.voteFrom,
      },
      logger: logger.child({ node: this.peer }),
      onHalt: (error) => this.#halt(life, error),
    })
    const node = unwrap(created)
    node.chain.onHead(() => {
      if (life.alive) this.#options.onCommit(this)
    })
    this.#node = node
    this.#options.onCommit(this)
    await node.start()
  }
}
