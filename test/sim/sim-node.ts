import { createExecutor, type Executor } from '@quoin/execution'
import type { Engine } from '@quoin/execution/vm'
import { type Genesis, unwrap } from '@quoin/protocol'
import { createInlineRecovery } from '../../packages/node/src/crypto/recovery.ts'
import { crc32cTable } from '../../packages/node/src/engine/crc32c.ts'
import { createSigner } from '../../packages/node/src/engine/private-validator.ts'
import type { Logger } from '../../packages/node/src/logger.ts'
import { createNode, type Node } from '../../packages/node/src/node.ts'
import type { PeerId } from '../../packages/node/src/powers.ts'
import { testEngine } from '../../packages/node/test/engine.ts'
import { simCrypto } from './crypto.ts'
import { Disk } from './disk.ts'
import { CHAIN_ID, EPOCH_MS, validatorKey } from './genesis.ts'
import type { SimNetwork } from './network.ts'
import type { SeededRandom } from './random.ts'
import { type Life, SimClock, type World } from './world.ts'

/** Loaded before any world begins: reading its file is real I/O, which virtual time does not wait for. */
const sharedEngine = await testEngine()

export interface SimNodeOptions {
  readonly world: World
  readonly network: SimNetwork
  readonly genesis: Genesis
  readonly index: number
  readonly isValidator: boolean
  /** Whose voting key it has; its own unless it is a twin. */
  readonly keyIndex?: number
  readonly clockOffsetMs: number
  readonly diskLatencyMs: readonly [number, number]
  readonly logger: Logger
  /** Makes the contract engine of each life; by default all nodes of this process share one. */
  readonly makeEngine?: () => Engine
  /** Puts a fault into a node's execution. */
  readonly wrapExecutor?: (executor: Executor) => Executor
  readonly onHalt: (node: SimNode, error: unknown) => void
  /** After each commit of each life. */
  readonly onCommit: (node: SimNode) => void
}

/** A validator with its disk; its process may crash and be started again. */
export class SimNode {
  readonly peer: PeerId
  readonly index: number
  readonly disk: Disk
  readonly #options: SimNodeOptions
  readonly #random: SeededRandom
  #life: Life = { alive: false }
  #node: Node | undefined
  crashes = 0

  constructor(options: SimNodeOptions) {
    this.#options = options
    this.index = options.index
    this.peer = `node-${options.index}`
    this.disk = new Disk(options.world, options.diskLatencyMs)
    this.#random = options.world.random.fork()
  }

  get alive(): boolean {
    return this.#life.alive
  }

  /** Undefined while it is down or starting. */
  get node(): Node | undefined {
    return this.#life.alive ? this.#node : undefined
  }

  /** Height of its last block when it was last seen alive. */
  get committedHeight(): number {
    return this.#node?.chain.head.header.number ?? -1
  }

  get address() {
    return validatorKey(this.#options.keyIndex ?? this.index).address
  }

  /** Starts a process on what the disk holds. */
  start(): void {
    if (this.alive) return
    const life: Life = { alive: true }
    this.#life = life
    this.#node = undefined
    this.#run(life).catch((error: unknown) => {
      if (life.alive) this.#options.onHalt(this, error)
    })
  }

  /** Ends the process where it stands. */
  crash(): void {
    if (!this.alive) return
    this.crashes++
    this.#life.alive = false
    this.#options.world.record('crash', this.peer)
    this.#options.network.down(this.peer)
    this.disk.crash()
  }

  /**
   * Ends the process while its `count`-th write from now is under way: what it does without waiting for the write still happens. Then calls
   * back.
   */
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

  /** An orderly stop; the process is gone when it resolves. */
  async stop(): Promise<void> {
    await this.#node?.stop()
    this.#life.alive = false
  }

  async #run(life: Life): Promise<void> {
    const { world, network, genesis, isValidator, clockOffsetMs, logger } = this.#options
    const { kv, wal, signState } = this.disk.open(life)
    const engine = this.#options.makeEngine?.() ?? sharedEngine
    const state = { kv, crypto: simCrypto, chainId: CHAIN_ID, engine, treeDepth: 4, historyHeights: 16 }
    const executor = unwrap(await createExecutor(state))
    const { address, secretKey } = validatorKey(this.#options.keyIndex ?? this.index)
    const created = await createNode({
      powers: {
        crypto: simCrypto,
        crc32c: crc32cTable,
        clock: new SimClock(world, EPOCH_MS + clockOffsetMs, life),
        random: this.#random,
        kv,
        files: { wal, signState },
        transport: network.open(this.peer, life),
        executor: this.#options.wrapExecutor?.(executor) ?? executor,
        recovery: createInlineRecovery(simCrypto),
      },
      genesis,
      signer: isValidator ? createSigner(simCrypto, address, secretKey) : undefined,
      // A key is made with its sign state; here the first start makes it.
      signState: { missing: 'new-key' },
      logger: logger.child({ node: this.peer }),
      onHalt: (error) => {
        if (life.alive) this.#options.onHalt(this, error)
      },
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
