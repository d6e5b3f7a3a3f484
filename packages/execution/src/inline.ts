import {
  type ChainId,
  type Crypto,
  decodeTransaction,
  err,
  type Genesis,
  Hash,
  type Header,
  type Height,
  headerHash,
  nextHeight,
  ok,
  type Result,
  timeProblem,
  treeKey,
} from '@quoin/protocol'
import {
  type BlockObserver,
  BlockRun,
  blockContext,
  blockRules,
  executeAll,
  invalidTransaction,
  type SenderTransaction,
} from './block/block.ts'
import { fillBlock } from './block/fill.ts'
import { genesisHeader, genesisState } from './block/genesis.ts'
import { type Contracts, createContracts } from './contract/contracts.ts'
import type { BlockContext } from './contract/message.ts'
import type {
  BlockRefusal,
  BlockTemplate,
  BuiltBlock,
  CandidateQueue,
  ExecutableTransaction,
  ExecutedBlock,
  Executor,
  FillLimits,
  PlacedCreation,
  TransactionRefusal,
} from './executor.ts'
import { onBehalfOf } from './fault.ts'
import { EXECUTOR_LIMITS } from './limits.ts'
import { packOps } from './pack.ts'
import { advanceSets, beginBlock } from './state/block-records.ts'
import { flatOps, type HistoryKv, historyOps } from './state/history.ts'
import { Journal } from './state/journal.ts'
import { stateKeyOf } from './state/keys.ts'
import type { KvOp } from './state/kv.ts'
import { settleSystemRecords } from './state/system-records.ts'
import { openTree, type PreparedTree, type StateTree, type TreeRefusal } from './state/tree/index.ts'
import { executionVersion } from './version.ts'
import type { Interpreter } from './vm/index.ts'

export interface ExecutorOptions extends BlockObserver {
  /** The database; the node's `Kv` implements it. It is only read here; the caller writes the blocks' ops. */
  readonly kv: HistoryKv
  readonly crypto: Crypto
  readonly chainId: ChainId
  /** Made by `createContractInterpreter`. */
  readonly interpreter: Interpreter
  /** Depth D of the state tree (`tree/`). It is fixed when the database is created and is not part of consensus. */
  readonly treeDepth: number
  /** Number of heights before the head for which proofs stay available. */
  readonly historyHeights: number
  /**
   * For development chains only: writes to the state before a block's transactions run, as part of the block's changes. Called
   * for each execution of a block. Nodes that write different values get different states.
   */
  readonly beforeBlock?: (journal: Journal, block: BlockContext) => void
  /** Shared `Contracts`, for callers that read this database with it too; by default the executor creates its own. */
  readonly contracts?: Contracts
  /** For development chains with impersonated senders only: whether contracts may be senders. */
  readonly contractsSend?: boolean
}

/**
 * Creates an executor that runs in the caller's thread: each call has finished its work when it returns its promise. The database
 * may be empty. A database whose tree has another format or depth is refused.
 *
 * @throws TreeCorruption when the tree's records contradict each other
 * @example
 * const executor = unwrap(await createExecutor({ kv, crypto, chainId, interpreter, treeDepth: 18, historyHeights: 60 }))
 * const block = await executor.build(template, queues, fill)
 * // store the block, its receipts and unpackOps(block.ops) in one synced write, then:
 * await executor.commit(block.hash)
 */
export async function createExecutor(options: ExecutorOptions): Promise<Result<Executor, TreeRefusal>> {
  const { kv, crypto, treeDepth: depth, historyHeights } = options
  const tree = await openTree({ kv, crypto, depth, historyHeights })
  return tree.ok ? ok(new InlineExecutor(options, tree.value)) : tree
}

/** An executed block that may be committed. */
interface Outcome {
  /** The executed work; undefined for genesis. */
  readonly work: Work | undefined
  readonly block: ExecutedBlock
  readonly update: PreparedTree
}

/** Results of running a block. */
interface Made {
  readonly journal: Journal
  readonly receipts: Uint8Array
  readonly gasUsed: readonly number[]
  readonly creations: readonly PlacedCreation[]
  /** Writes of derived data, which is not part of the state. */
  readonly derived: readonly KvOp[]
}

/** Everything that determines a block, except the parent's state. */
interface Work {
  readonly template: BlockTemplate
  readonly hashes: readonly Hash[]
}

const sameWork = (a: Work, b: Work): boolean =>
  a.template.parentHash === b.template.parentHash &&
  a.template.timeMs === b.template.timeMs &&
  a.template.miner === b.template.miner &&
  a.template.extra.validatorsHash === b.template.extra.validatorsHash &&
  a.template.extra.nextValidatorsHash === b.template.extra.nextValidatorsHash &&
  a.hashes.length === b.hashes.length &&
  a.hashes.every((hash, i) => hash === b.hashes[i])

class InlineExecutor implements Executor {
  readonly version: Hash
  readonly #options: ExecutorOptions
  readonly #contracts: Contracts
  readonly #tree: StateTree
  /** By block hash, least recently used first; all on the same parent state. */
  readonly #outcomes = new Map<Hash, Outcome>()
  #closed = false

  constructor(options: ExecutorOptions, tree: StateTree) {
    this.#options = options
    this.#tree = tree
    this.#contracts =
      options.contracts ?? createContracts({ ...options, reader: options.kv, executionVersion: executionVersion(options.crypto) })
    this.version = this.#contracts.executionVersion
  }

  async genesis(genesis: Genesis): Promise<ExecutedBlock> {
    this.#assertOpen()
    const { crypto } = this.#options
    if (genesis.executionVersion !== this.version)
      throw new Error(`genesis requires execution version ${genesis.executionVersion}, but this node has ${this.version}`)
    if (this.#tree.head !== undefined) throw new Error(`the database already holds the state of block ${this.#tree.head.height}`)
    const journal = genesisState(this.#contracts, genesis)
    const made = { journal, receipts: EMPTY_RECEIPTS, gasUsed: [], creations: [], derived: [] }
    return this.#keep(undefined, 0 as Height, made, (root) => genesisHeader(crypto, genesis, root))
  }

  async build(template: BlockTemplate, queues: readonly CandidateQueue[], fill: FillLimits): Promise<BuiltBlock> {
    const { parent, timeMs } = template
    this.#assertAbove(parent)
    const problem = timeProblem(parent, timeMs)
    if (problem !== undefined) throw new RangeError(problem)
    const run = this.#start(template)
    const filled = fillBlock(run, queues, (candidate) => this.#decode(candidate), fill)
    return { ...this.#seal({ template, hashes: run.hashes }, run), ...filled }
  }

  async execute(
    template: BlockTemplate,
    transactions: readonly ExecutableTransaction[],
  ): Promise<Result<ExecutedBlock, BlockRefusal>> {
    const { parent, timeMs } = template
    this.#assertAbove(parent)
    const problem = timeProblem(parent, timeMs)
    if (problem !== undefined) return err({ code: 'time', message: problem })
    const items: SenderTransaction[] = []
    for (const [index, transaction] of transactions.entries()) {
      const decoded = this.#decode(transaction)
      if (!decoded.ok) return err(invalidTransaction(index, decoded.error))
      items.push(decoded.value)
    }
    const hashes = items.map(({ transaction }) => transaction.hash)
    const known = this.#find({ template, hashes })
    if (known !== undefined) return ok(known)
    const run = this.#start(template)
    const executed = executeAll(run, items)
    return executed.ok ? ok(this.#seal({ template, hashes }, run)) : executed
  }

  async commit(blockHash: Hash): Promise<void> {
    this.#assertOpen()
    const outcome = this.#outcomes.get(blockHash)
    if (outcome === undefined)
      throw new Error(`block ${blockHash} was not executed on the current state, or its result was evicted`)
    this.#tree.commit(outcome.update)
    this.#outcomes.clear()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#outcomes.clear()
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('the executor is closed')
  }

  #assertAbove(parent: Header): void {
    this.#assertOpen()
    const { head } = this.#tree
    if (head?.height === parent.number && head.root === parent.stateRoot) return
    const held = head === undefined ? 'no state' : `the state of block ${head.height}, root ${head.root}`
    throw new Error(`the database holds ${held}; the parent is block ${parent.number}, root ${parent.stateRoot}`)
  }

  #decode({ raw, sender }: ExecutableTransaction): Result<SenderTransaction, TransactionRefusal> {
    const { crypto, chainId } = this.#options
    const decoded = onBehalfOf(
      () => Hash(crypto.keccak256(raw)),
      () => decodeTransaction(crypto, chainId, raw),
    )
    if (decoded.ok) return ok({ transaction: decoded.value, sender })
    return err({ code: 'malformed', message: decoded.error.message })
  }

  #start(template: BlockTemplate): BlockRun {
    const { kv, beforeBlock, contractsSend } = this.#options
    const rules = blockRules(template, kv, contractsSend)
    const block = blockContext(template, rules)
    const journal = new Journal(kv)
    beginBlock(journal, block.number, template.parentHash)
    beforeBlock?.(journal, block)
    return new BlockRun(this.#contracts, rules, journal, block, this.#options)
  }

  /**
   * Finishes a run's block, or returns the result of equal earlier work. The header's execution version is always this
   * executor's.
   */
  #seal(work: Work, run: BlockRun): ExecutedBlock {
    const known = this.#find(work)
    return known ?? onBehalfOf(NOBODY, () => this.#end(work, run))
  }

  /** Computes the block's result. An exception here may be caused by any of its transactions, but none is known to cause one. */
  #end(work: Work, run: BlockRun): ExecutedBlock {
    const { template } = work
    const height = nextHeight(template.parent.number)
    advanceSets(run.journal, height)
    settleSystemRecords(run.journal)
    const extra = { ...template.extra, executionVersion: this.version }
    const { journal, gasOfEach: gasUsed, creations, imageOps: derived } = run
    const made = { journal, receipts: run.receipts(), gasUsed, creations, derived }
    return this.#keep(work, height, made, (root) => run.header({ ...template, extra }, root))
  }

  /** Finds the result of equal work and marks it as used. Never with `beforeBlock`, which may write something else each time. */
  #find(work: Work): ExecutedBlock | undefined {
    if (this.#options.beforeBlock !== undefined) return undefined
    for (const [hash, outcome] of this.#outcomes) {
      if (outcome.work === undefined || !sameWork(outcome.work, work)) continue
      this.#outcomes.delete(hash)
      this.#outcomes.set(hash, outcome)
      return outcome.block
    }
    return undefined
  }

  /** Computes the state root and the writes, and keeps the result; evicts the least recently used one above the limit. */
  #keep(
    work: Work | undefined,
    height: Height,
    { journal, receipts, gasUsed, creations, derived }: Made,
    headerOf: (root: Hash) => Header,
  ): ExecutedBlock {
    const { crypto } = this.#options
    const changes = journal.changes()
    const update = this.#tree.prepare(
      height,
      changes.map(({ flatKey, after }) => ({ key: treeKey(crypto, stateKeyOf(flatKey)), value: after })),
    )
    const history = height === 0 ? [] : historyOps(changes, height)
    const ops = packOps([...flatOps(changes), ...history, ...update.ops, ...derived])
    const header = headerOf(update.root)
    const block = { header, hash: headerHash(crypto, header), receipts, gasUsed, creations, ops }
    this.#outcomes.set(block.hash, { work, block, update })
    for (const oldest of this.#outcomes.keys()) {
      if (this.#outcomes.size <= EXECUTOR_LIMITS.executedBlocksMax) break
      this.#outcomes.delete(oldest)
    }
    return block
  }
}

const NOBODY = (): undefined => undefined

/** `receiptsCodec` encoding of no receipts. */
const EMPTY_RECEIPTS = new Uint8Array(4)
