import type { Executor } from '@quoin/execution'
import type { Crypto, Evidence, Genesis, Height, Result } from '@quoin/protocol'
import { codec, err, ok, TimeMs } from '@quoin/protocol'
import { pause } from './abort.ts'
import { AnswerBudget } from './answer-budget.ts'
import { recentFaults } from './chain/block-fault.ts'
import type { ChainRefusal } from './chain/chain.ts'
import { type Ledger, openLedger } from './chain/ledger.ts'
import type { Chain, Head } from './chain/types.ts'
import type { SenderRecovery } from './crypto/recovery.ts'
import type { Crc32c } from './engine/crc32c.ts'
import { Engine } from './engine/engine.ts'
import { ENGINE_REQUEST } from './engine/messages.ts'
import type { Signer } from './engine/private-validator.ts'
import type { SignStateOptions } from './engine/sign-custody.ts'
import type { ConsensusView, EngineStatus } from './engine/types.ts'
import { EvidenceExchange } from './evidence/evidence-exchange.ts'
import { EvidencePool } from './evidence/evidence-pool.ts'
import { EvidenceReporter } from './evidence/evidence-reporter.ts'
import type { OperatorAccount } from './evidence/operator-account.ts'
import type { Feed } from './feed/types.ts'
import { CLOCK_REQUEST, clockAnswerCodec } from './health/clock-messages.ts'
import { TransactionGossip } from './mempool/gossip/transaction-gossip.ts'
import './limit-relations.ts'
import { type SimulatedRefusal, simulatedRefusal } from './chain/simulated.ts'
import { Scope } from './lifecycle.ts'
import type { Logger } from './logger.ts'
import type { Mempool } from './mempool/types.ts'
import type { Clock, Kv, LogFile, PeerAddress, PeerId, Random, Transport } from './powers.ts'
import type { BlockStore, StoreRefusal } from './store/block-store.ts'
import type { CommitHeights } from './store/commit-heights.ts'
import { DamagedError, DamageReports } from './store/damage.ts'
import { rebuiltHeight } from './store/schema.ts'
import type { BlockReader } from './store/types.ts'
import { SYNC_REQUEST } from './sync/messages.ts'
import { BlockRepair } from './sync/repair.ts'
import { createSync } from './sync/sync.ts'
import type { BlockSync } from './sync/types.ts'

/** The node's access to the outside world. The caller opens these powers, and closes them after the node has stopped. */
export interface NodePowers {
  readonly crypto: Crypto
  readonly crc32c: Crc32c
  readonly clock: Clock
  readonly random: Random
  readonly kv: Kv
  readonly files: { readonly wal: LogFile; readonly signState: LogFile }
  readonly transport: Transport
  /** Must work on the same database as `kv`. */
  readonly executor: Executor
  readonly recovery: SenderRecovery
  /** Collects damage that readers of the database find. The node repairs it, or halts. */
  readonly damage?: DamageReports
  /** Tells other threads that read the database which height has been committed. */
  readonly heights?: CommitHeights
}

export interface NodeOptions {
  readonly powers: NodePowers
  readonly genesis: Genesis
  /** Signs with the validator key. Undefined: the node follows the chain without voting. */
  readonly signer: Signer | undefined
  /** What to do if the key's sign state is missing or forbids signing. */
  readonly signState?: SignStateOptions | undefined
  /** Reports equivocation to the chain from this account. Undefined: the node only keeps and passes on evidence. */
  readonly operator?: OperatorAccount | undefined
  /**
   * Nodes that are dialled and admitted although the chain does not name them, until this node has caught up and the chain names it. By them a
   * node joins whose genesis names only machines that are gone.
   */
  readonly bootstrapPeers?: readonly PeerAddress[]
  /** The halt height after which the operator has told this node to continue. */
  readonly resumeAfter?: Height | undefined
  readonly logger: Logger
  /** Called at most once, when the engine has stopped for good. The node still answers reads; an operator must look. */
  readonly onHalt: (error: unknown) => void
  /** Why the pool no longer accepts transactions; undefined while it does. */
  readonly transactionRefusal?: () => string | undefined
}

/** A running node without an RPC server; the caller attaches one. */
export interface Node {
  readonly chain: Chain
  readonly blocks: BlockReader
  readonly mempool: Mempool
  readonly feed: Feed
  readonly sync: BlockSync
  /** Undefined before `start`. */
  readonly status: EngineStatus | undefined
  /** Undefined before `start`, and between two heights. */
  readonly consensus: ConsensusView | undefined
  readonly counters: Readonly<Record<string, number>>
  /** Evidence of equivocation (double signing) that this node has and the chain has not. */
  readonly evidence: readonly Evidence[]
  /** Recovers from a crash, connects to peers, and takes part in consensus. Throws if the node's files are damaged, or it cannot listen. */
  start(): Promise<void>
  /** Frees memory that can be refilled later. */
  dropCaches(): void
  /** Stops the node. Resolves when everything that it started has ended. */
  stop(): Promise<void>
}

/**
 * Composition root: connects the parts of a node on top of its powers, real or simulated.
 *
 * @returns The node, not started yet; or why it cannot run on this genesis or database.
 */
export async function createNode(options: NodeOptions): Promise<Result<Node, ChainRefusal | StoreRefusal | SimulatedRefusal>> {
  const { powers, genesis, logger, transactionRefusal, resumeAfter } = options
  const damage = powers.damage ?? new DamageReports()
  const refusal = simulatedRefusal(genesis)
  if (refusal !== undefined) return err(refusal)
  const ledger = await openLedger({ ...powers, genesis, logger, transactionRefusal, resumeAfter, onDamage: damage.report })
  if (!ledger.ok) return ledger
  const evidence = await EvidencePool.open(powers.kv, powers.crypto, options.onHalt)
  return ok(new ComposedNode(options, ledger.value, evidence, damage))
}

/** The chain's nodes and the bootstrap peers. A peer that both name is dialled at the addresses of both. */
function withBootstrap(nodes: readonly PeerAddress[], bootstrap: readonly PeerAddress[]): readonly PeerAddress[] {
  const byPeer = new Map<PeerId, PeerAddress>(nodes.map((node) => [node.peerId, node]))
  for (const { peerId, addresses } of bootstrap)
    byPeer.set(peerId, { peerId, addresses: [...addresses, ...(byPeer.get(peerId)?.addresses ?? [])] })
  return [...byPeer.values()]
}

class ComposedNode implements Node {
  readonly chain: Chain
  readonly blocks: BlockStore
  readonly mempool: Mempool
  readonly feed: Feed
  readonly sync: BlockSync
  readonly #options: NodeOptions
  readonly #repair: BlockRepair
  #hasHalted = false
  readonly #scope: Scope
  readonly #gossip: TransactionGossip
  readonly #evidence: EvidenceExchange
  readonly #answers: AnswerBudget
  #engine: Engine | undefined

  constructor(options: NodeOptions, { chain, blocks, mempool, feed }: Ledger, evidence: EvidencePool, damage: DamageReports) {
    const { crypto, clock, random, transport } = options.powers
    this.#options = options
    this.#answers = new AnswerBudget(clock)
    this.chain = chain
    this.blocks = blocks
    this.mempool = mempool
    this.feed = feed
    const onFailure = (error: unknown) => this.#halt(error)
    this.#scope = new Scope(onFailure)
    this.#scope.own(mempool)
    const logger = options.logger.child({ module: 'sync' })
    this.sync = createSync({ chain, reader: blocks, transport, mempool, crypto, clock, logger })
    this.#scope.own(this.sync)
    this.#gossip = this.#scope.own(new TransactionGossip({ mempool, transport, clock, crypto, random }))
    this.#scope.own(evidence)
    this.#evidence = this.#scope.own(
      new EvidenceExchange({
        ...{ pool: evidence, chain, state: options.powers.kv, transport, clock, crypto, self: options.signer?.address },
        logger: options.logger.child({ module: 'evidence' }),
      }),
    )
    if (options.operator !== undefined) this.#report(options.operator, evidence)
    const validatorsAt = (height: Height) => chain.validatorsAt(height)
    const { domain } = chain
    this.#repair = this.#scope.own(
      new BlockRepair({
        ...{ store: blocks, validatorsAt, domain, transport, mempool, crypto, clock, logger },
        onFailure: (damage) => this.#stopAt(damage),
      }),
    )
    damage.listen((found) => this.#mend(found))
  }

  get status(): EngineStatus | undefined {
    return this.#engine?.status
  }

  get consensus(): ConsensusView | undefined {
    return this.#engine?.consensus
  }

  get evidence(): readonly Evidence[] {
    return this.#evidence.evidence
  }

  get counters(): Readonly<Record<string, number>> {
    const { payloads, transactions, repeats, waste } = this.#gossip.counters
    return {
      ...this.#engine?.counters,
      repairedBlocks: this.#repair.repaired,
      gossipPayloads: payloads,
      gossipTransactions: transactions,
      gossipRepeats: repeats,
      gossipWaste: waste,
    }
  }

  async start(): Promise<void> {
    const { powers, signer, signState, logger } = this.#options
    const onHalt = (error: unknown) => this.#halt(error)
    const { transport, crypto, crc32c, clock, random, files } = powers
    const { chain, blocks, mempool, sync } = this
    this.#checkRecentBlocks()
    this.#listen()
    this.#admitNodes()
    const engine = await Engine.start({
      ...{ crypto, crc32c, clock, random, transport, files, chain, blocks, mempool, sync, signer, signState, onHalt },
      evidence: this.#evidence,
      logger: logger.child({ module: 'engine' }),
    })
    this.#engine = engine
    this.#stopAsScheduled()
    this.#scope.own({ close: () => engine.stop() })
    this.#scope.own({ close: () => transport.stop() })
    await transport.start()
  }

  dropCaches(): void {
    this.blocks.dropCaches()
    this.mempool.dropCaches()
  }

  stop(): Promise<void> {
    return this.#scope.close()
  }

  /** Requests repair of damaged recent blocks. Throws DamagedError if peers cannot repair one. */
  #checkRecentBlocks(): void {
    const { chain, blocks } = this
    const { crypto } = this.#options.powers
    for (const { height, rebuilds, finding } of recentFaults({ blocks, crypto, domain: chain.domain })) {
      if (!rebuilds) throw new DamagedError(finding)
      this.#repair.request(height, new DamagedError(finding))
    }
  }

  #mend(damage: DamagedError): void {
    const height = damage.key && rebuiltHeight(damage.key)
    // A damaged key may name any height.
    if (height === undefined || height > this.chain.head.header.number) return this.#stopAt(damage)
    this.#repair.request(height, damage)
  }

  /** Stops taking part in consensus, because its votes would depend on damaged data. */
  #stopAt(damage: unknown): void {
    if (this.#engine === undefined) this.#halt(damage)
    else this.#engine.halt(damage)
  }

  /** Ends the node when the chain has reached a height at which it must not go on, unless the others have. */
  #stopAsScheduled(): void {
    const look = ({ stop }: Head): void => {
      if (stop !== undefined && !this.sync.behind) this.#stopAt(stop)
    }
    look(this.chain.head)
    this.#scope.own({ close: this.chain.onHead(look) })
  }

  #halt(error: unknown): void {
    if (this.#hasHalted) return
    this.#hasHalted = true
    this.#options.onHalt(error)
  }

  #listen(): void {
    this.#options.powers.transport.listen({
      onMessage: (from, message) => this.#engine?.onMessage(from, message),
      onGossip: (from, payload) => this.#gossip.onPayload(from, payload),
      onRequest: (from, message) => this.#answer(from, message),
      onPeer: (peer, state) => {
        this.sync.onPeer(peer, state)
        this.#gossip.onPeer(peer, state)
        this.#engine?.onPeer(peer, state)
        this.#evidence.onPeer(peer, state)
      },
    })
  }

  #report(account: OperatorAccount, pool: EvidencePool): void {
    const { powers, genesis, logger } = this.#options
    const { kv, clock, crypto } = powers
    const { chain, mempool } = this
    this.#scope.own(
      new EvidenceReporter({
        ...{ account, pool, mempool, chain, kv, chainId: genesis.chainId, clock, crypto },
        logger: logger.child({ module: 'evidence' }),
        onFailure: (error) => this.#halt(error),
      }),
    )
  }

  async #answer(from: PeerId, message: Uint8Array): Promise<Uint8Array | undefined> {
    const waitMs = this.#answers.waitMs(from)
    if (waitMs > 0) await pause(this.#options.powers.clock, waitMs)
    const answer = await this.#answerNow(from, message)
    this.#answers.given(from, message.length, answer?.length ?? 0)
    return answer
  }

  async #answerNow(from: PeerId, message: Uint8Array): Promise<Uint8Array | undefined> {
    if (message[0] === SYNC_REQUEST) return this.sync.onRequest(from, message)
    if (message[0] === ENGINE_REQUEST) return this.#engine?.onRequest(from, message)
    const { transport, clock } = this.#options.powers
    if (message[0] === CLOCK_REQUEST && message.length === 1)
      return codec.encode(clockAnswerCodec, TimeMs(Math.max(0, Math.round(clock.now()))))
    transport.penalise(from, 'malformed')
    return undefined
  }

  /** The chain's state defines which nodes may stay connected: update the transport when it changes. */
  #admitNodes(): void {
    const { transport } = this.#options.powers
    const bootstrap = this.#options.bootstrapPeers ?? []
    let isJoining = bootstrap.length > 0
    let { nodes } = this.chain.head
    transport.admit(withBootstrap(nodes, bootstrap))
    const unsubscribe = this.chain.onHead((head) => {
      const joins = isJoining
      isJoining &&= this.sync.behind || this.sync.heard === 0 || !head.nodes.some(({ peerId }) => peerId === transport.self)
      if (head.nodes === nodes && joins === isJoining) return
      nodes = head.nodes
      transport.admit(isJoining ? withBootstrap(nodes, bootstrap) : nodes)
    })
    this.#scope.own({ close: unsubscribe })
  }
}
