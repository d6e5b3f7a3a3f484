import {
  type BlockTemplate,
  createdAccounts,
  EXECUTOR_LIMITS,
  type ExecutedBlock,
  type Executor,
  InterpreterFault,
  unpackOps,
} from '@quoin/execution'
import {
  type CommitCertificate,
  type Crypto,
  err,
  type Genesis,
  genesisDigest,
  type Hash,
  type Header,
  Height,
  LIMITS,
  nextHeight,
  ok,
  type Result,
  type SigningDomain,
  TimeMs,
  type ValidatorSet,
  validatorSetHash,
  versionAt,
} from '@quoin/protocol'
import type { Feed } from '../feed/types.ts'
import type { EndingError } from '../health/ending-error.ts'
import type { Logger } from '../logger.ts'
import type { Mempool } from '../mempool/types.ts'
import type { Kv } from '../powers.ts'
import type { BlockStore } from '../store/block-store.ts'
import { DamagedError } from '../store/damage.ts'
import { fillBlock, isolate, suspend } from './faults.ts'
import { type HeaderRules, headerDifference, headerProblem } from './header-rules.ts'
import { scheduledStop } from './scheduled-stop.ts'
import { nextSystemView, readSystemView, type SystemView } from './system-view.ts'
import type { BuildRequest, CandidateBlock, Chain, Head, ValidationError } from './types.ts'

export interface ChainOptions {
  readonly genesis: Genesis
  /** The database that `store` and `executor` also use. */
  readonly kv: Kv
  readonly store: BlockStore
  readonly executor: Executor
  readonly crypto: Crypto
  readonly mempool: Pick<Mempool, 'candidates' | 'drop' | 'onBlock' | 'suspend' | 'quarantine'>
  readonly feed: Pick<Feed, 'publish'>
  readonly logger: Logger
  /** The halt height after which this node's operator has told it to continue. */
  readonly resumeAfter?: Height | undefined
}

/** Why this release cannot use this data directory with this genesis. The message says what to do. */
export interface ChainRefusal {
  readonly code: 'execution-version' | 'other-genesis' | 'restart'
  readonly message: string
}

/**
 * Opens the chain of a genesis document in a database; writes block 0 first if the database is empty.
 * @throws DamagedError if the database contradicts itself
 */
export async function createChain(options: ChainOptions): Promise<Result<Chain, ChainRefusal>> {
  const refusal = refusalOf(options)
  if (refusal !== undefined) return err(refusal)
  if (options.store.chain === undefined) await appendGenesis(options)
  const chain = new FinalChain(options)
  if (chain.nextVersion !== options.executor.version) return err(versionRefusal(options, chain.nextVersion))
  await chain.assertExecutable()
  return ok(chain)
}

const versionRefusal = ({ genesis, executor }: ChainOptions, needed: Hash): ChainRefusal => ({
  code: 'execution-version',
  message:
    `the ${needed === genesis.executionVersion ? 'genesis' : 'next block of the chain'} requires execution version ${needed}, ` +
    `but this release supports version ${executor.version}: install the release that the chain uses`,
})

function refusalOf(options: ChainOptions): ChainRefusal | undefined {
  const { genesis, store, executor, crypto } = options
  const digest = genesisDigest(crypto, genesis)
  const stored = store.chain
  // A chain that was upgraded since has the version of its genesis no more.
  if (stored?.genesisDigest !== digest && executor.version !== genesis.executionVersion)
    return versionRefusal(options, genesis.executionVersion)
  if (stored !== undefined && stored.genesisDigest !== digest) {
    return {
      code: 'other-genesis',
      message:
        `the data directory contains the chain with genesis ${stored.genesisDigest}, but the configured genesis is ${digest}: ` +
        'configure the genesis of that chain, or choose another data directory (npm run devnet: --reset deletes the old chain)',
    }
  }
  if ((genesis.restart?.epoch ?? 0) !== (stored?.restartEpoch ?? 0)) {
    return {
      code: 'restart',
      message: `the genesis requests restart ${genesis.restart?.epoch ?? 0}, but this release cannot restart a chain: remove \`restart\``,
    }
  }
  return undefined
}

async function appendGenesis({ genesis, store, executor, crypto }: ChainOptions): Promise<void> {
  const executed = await executor.genesis(genesis)
  const validators = ([1, 2] as const).map((height) => ({ height: Height(height), set: genesis.validators }))
  await store.appendGenesis(
    {
      header: executed.header,
      hash: executed.hash,
      transactions: [],
      receipts: executed.receipts,
      creations: [],
      certificate: undefined,
      validators,
      ops: unpackOps(executed.ops),
    },
    { genesisDigest: genesisDigest(crypto, genesis), restartEpoch: 0 },
  )
  await executor.commit(executed.hash)
}

class FinalChain implements Chain {
  readonly domain: SigningDomain
  readonly #options: ChainOptions
  /** Results that the executor still holds, least recently used first. */
  readonly #executed = new Map<Hash, ExecutedBlock>()
  readonly #listeners = new Set<(head: Head) => void>()
  #system: SystemView
  #head: Head
  #busy: string | undefined

  constructor(options: ChainOptions) {
    const { store, kv, genesis } = options
    this.#options = options
    const { header, hash } = store.head
    this.domain = {
      genesisHash: requireStored(store.header(Height(0)), 'header of block 0').hash,
      restartEpoch: genesis.restart?.epoch ?? 0,
    }
    this.#system = readSystemView(kv)
    this.#head = {
      header,
      hash,
      certificate: store.certificate(header.number),
      parameters: this.#system.parameters,
      validators: requireStored(store.validators(Height(header.number + 1)), 'validator set'),
      nextValidators: requireStored(store.validators(Height(header.number + 2)), 'next validator set'),
      nodes: this.#system.nodes,
      stop: this.#stopAfter(header, this.#system),
    }
  }

  #stopAfter({ number: height, extra: { executionVersion } }: Header, { schedule }: SystemView): EndingError | undefined {
    const { executor, resumeAfter } = this.#options
    return scheduledStop({ height, executionVersion, schedule }, { version: executor.version, resumeAfter })
  }

  /** The execution version of the next block. */
  get nextVersion(): Hash {
    const { number, extra } = this.#head.header
    return versionAt(this.#system.schedule, nextHeight(number), extra.executionVersion)
  }

  get head(): Head {
    return this.#head
  }

  validatorsAt(height: Height): ValidatorSet | undefined {
    return this.#options.store.validators(height)
  }

  onHead(listener: (head: Head) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Executes an empty block, to check that the state works.
   * @throws DamagedError if the database holds another state than the head's header commits to
   */
  assertExecutable(): Promise<void> {
    return this.#exclusive('open', async () => {
      const { header } = this.#head
      const template = this.#template({ timeMs: TimeMs(header.timeMs + 1), miner: header.miner })
      try {
        this.#remember(await this.#options.executor.build(template, [], { gasMax: 0, bytesMax: 0, part: 1 }))
      } catch (error) {
        if (error instanceof DamagedError || !(error instanceof Error)) throw error
        throw new DamagedError(`executing on the head, block ${header.number}, failed: ${error.message}`, undefined, error)
      }
    })
  }

  build({ timeMs, feeAddress, fillGasMax, fillPart = 1 }: BuildRequest): Promise<CandidateBlock> {
    return this.#exclusive('build', async () => {
      this.#mustGoOn()
      const { mempool, logger } = this.#options
      const gasMax = Math.min(fillGasMax, this.#head.parameters.blockGasMax)
      const fill = { gasMax, bytesMax: LIMITS.blockBytesMax, part: fillPart }
      const template = this.#template({ timeMs, miner: feeAddress })
      const { built, candidates } = await fillBlock(this.#options, template, fill)
      this.#remember(built)
      if (built.refused.length > 0) {
        logger.debug(
          { count: built.refused.length, first: built.refused[0]?.reason.message },
          'dropping candidates that can never be in a block',
        )
        mempool.drop(built.refused.map(({ index }) => candidates[index]!.hash))
      }
      const transactions = built.included.map((index) => candidates[index]!)
      return { header: built.header, hash: built.hash, transactions }
    })
  }

  validate(block: CandidateBlock, isDecided = false): Promise<Result<void, ValidationError>> {
    return this.#exclusive('validate', async () => {
      if (!isDecided) this.#mustGoOn()
      if (this.#executed.has(block.hash)) return ok(undefined)
      const height = nextHeight(this.#head.header.number)
      try {
        const executed = await this.#execute(block, isDecided)
        if (executed.ok) return ok(undefined)
        if (executed.error.code === 'root-mismatch') suspend(this.#options.mempool, block.transactions, height)
        return executed
      } catch (error) {
        if (!(error instanceof InterpreterFault)) throw error
        await isolate(this.#options, error, block.transactions, height)
        return err({ code: 'interpreter-fault', transaction: error.transaction, message: error.message })
      }
    })
  }

  /** @throws if the certificate is for another block, or if a decided block is invalid on this node. The node must stop then. */
  commit(block: CandidateBlock, certificate: CommitCertificate): Promise<Head> {
    return this.#exclusive('commit', async () => {
      const { store, executor, kv, mempool, feed } = this.#options
      const executed = await this.#decided(block, certificate)
      const { header, hash } = executed
      const ops = unpackOps(executed.ops)
      const system = nextSystemView(this.#system, kv, ops)
      const { next: validators, afterNext: nextValidators } = system.sets
      await store.append({
        header,
        hash,
        transactions: block.transactions,
        receipts: executed.receipts,
        creations: executed.creations,
        certificate,
        validators: [{ height: Height(header.number + 2), set: nextValidators }],
        ops,
      })
      await executor.commit(hash)
      this.#executed.clear()
      this.#report(system)
      this.#system = system
      const { parameters, nodes } = system
      const stop = this.#stopAfter(header, system)
      const head: Head = { header, hash, certificate, parameters, validators, nextValidators, nodes, stop }
      this.#head = head
      mempool.onBlock({
        height: header.number,
        transactions: block.transactions,
        gasUsed: executed.gasUsed,
        created: createdAccounts(ops),
      })
      feed.publish()
      for (const listener of this.#listeners) listener(head)
      return head
    })
  }

  /** @throws EndingError at a height that this node must not reach by itself */
  #mustGoOn(): void {
    const { stop } = this.#head
    if (stop !== undefined) throw stop
  }

  async #decided(block: CandidateBlock, certificate: CommitCertificate): Promise<ExecutedBlock> {
    const { hash } = block
    const number = this.#head.header.number + 1
    if (certificate.blockHash !== hash || certificate.height !== number)
      throw new Error(
        `the certificate of block ${certificate.height} ${certificate.blockHash} was passed for block ${number} ${hash}`,
      )
    const known = this.#executed.get(hash)
    if (known !== undefined) return known
    const executed = await this.#execute(block, true)
    if (executed.ok) return executed.value
    throw new Error(`block ${number} ${hash} is committed by the network, but invalid on this node: ${executed.error.message}`)
  }

  async #execute(
    { header, hash, transactions }: CandidateBlock,
    isDecided: boolean,
  ): Promise<Result<ExecutedBlock, ValidationError>> {
    const problem = headerProblem(header, this.#rules())
    if (problem !== undefined) return err({ code: 'header', message: problem })
    const executed = await this.#options.executor.execute(this.#template(header), transactions, isDecided)
    if (!executed.ok) return executed
    this.#remember(executed.value)
    if (executed.value.hash === hash) return executed
    const difference = headerDifference(header, executed.value.header) ?? `hash is ${hash}, not ${executed.value.hash}`
    return err({ code: 'root-mismatch', message: difference })
  }

  /**
   * Records the result of every execution, whether it is needed or not, because the executor keeps and evicts results in the same order.
   */
  #remember(executed: ExecutedBlock): void {
    this.#executed.delete(executed.hash)
    this.#executed.set(executed.hash, executed)
    for (const oldest of this.#executed.keys()) {
      if (this.#executed.size <= EXECUTOR_LIMITS.executedBlocksMax) return
      this.#executed.delete(oldest)
    }
  }

  #template({ timeMs, miner }: Pick<BlockTemplate, 'timeMs' | 'miner'>): BlockTemplate {
    const { parent, parentHash, extra } = this.#rules()
    return { parent, parentHash, timeMs, miner, extra }
  }

  #rules(): HeaderRules {
    const { crypto, executor } = this.#options
    const { header: parent, hash: parentHash, parameters, validators, nextValidators } = this.#head
    const extra = {
      executionVersion: executor.version,
      validatorsHash: validatorSetHash(crypto, validators),
      nextValidatorsHash: validatorSetHash(crypto, nextValidators),
    }
    return { parent, parentHash, parameters, extra }
  }

  #report({ problems }: SystemView): void {
    if (problems.join() === this.#system.problems.join()) return
    for (const problem of problems)
      this.#options.logger.error({ problem }, 'a system record is malformed: its last valid value stays in use')
  }

  /** Runs one call at a time. Concurrent calls are a bug of the engine, and would use each other's incomplete work. */
  async #exclusive<T>(name: string, action: () => Promise<T>): Promise<T> {
    if (this.#busy !== undefined) throw new Error(`chain.${name} was called during chain.${this.#busy}`)
    this.#busy = name
    try {
      return await action()
    } finally {
      this.#busy = undefined
    }
  }
}

function requireStored<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new DamagedError(`there is no ${what}`)
  return value
}
