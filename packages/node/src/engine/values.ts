import type { DriverInput, Effect } from '@quoin/consensus'
import { selectProposer } from '@quoin/consensus'
import {
  type CommitCertificate,
  type CompactBlock,
  type Crypto,
  type Hash,
  Height,
  headerHash,
  type RawBlock,
  type Result,
  type Round,
  TimeMs,
} from '@quoin/protocol'
import type { CandidateBlock, Chain, ValidationError } from '../chain/types.ts'
import { Sequencer } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import type { Mempool } from '../mempool/types.ts'
import type { Clock, Offence, PeerId, Transport } from '../powers.ts'
import type { BlockReader } from '../store/types.ts'
import { type Assembled, Assembly, rawBlock } from './assembly.ts'
import { HaltError } from './halt.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { BodyRequest } from './messages.ts'
import { CorruptFileError } from './record-file.ts'
import { ValueJudge } from './value-judge.ts'
import type { LoggedInput, Wal } from './wal.ts'

export interface ValuesPowers {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly transport: Pick<Transport, 'peers' | 'request'>
  readonly chain: Chain
  readonly blocks: BlockReader
  readonly mempool: Pick<Mempool, 'get' | 'verify'>
  readonly wal: Pick<Wal, 'append'>
  readonly logger: Logger
  readonly penalise: (peer: PeerId, offence: Offence, why: string) => void
  /** Work for a peer failed by a bug; throws what must end the engine. */
  readonly onFailure: (task: string, error: unknown) => void
  /** Runs a task that ends soon after its signal is aborted. */
  readonly spawn: (name: string, task: (closing: AbortSignal) => Promise<void>) => void
}

/** `failed`: validation threw, which is a bug or a damaged database. */
type Verdict = Result<void, ValidationError | { readonly code: 'failed'; readonly message: string }>

/** Work on a value that ended. */
export type ValueEvent =
  | { readonly kind: 'built'; readonly round: Round; readonly block: CandidateBlock }
  | { readonly kind: 'assembled'; readonly assembled: Assembled }
  | { readonly kind: 'judged'; readonly block: CandidateBlock; readonly result: Verdict }

type Ask = Extract<Effect, { kind: 'validateValue' | 'needValue' }>
type ValueInput = Extract<DriverInput, { kind: 'valueBuilt' | 'valueValidated' }>

/**
 * The blocks that one height speaks of: builds our own, assembles those of others, executes each once, and commits the decided one. What takes
 * time runs beside the engine's loop, one job at a time on the chain, and comes back as an event. A block's body is in the log before
 * anything is said of it.
 */
export class Values {
  readonly #powers: ValuesPowers
  /** `height` is the one for which the work was begun. */
  readonly #emit: (height: Height, event: ValueEvent) => void
  readonly #assembly: Assembly
  readonly #chainJobs = new Sequencer()
  readonly #validating = new Set<Hash>()
  #height: Height
  #judge: ValueJudge
  #cancelBuild: () => void = () => {}

  /** Begins at the height after the chain's head. */
  constructor(powers: ValuesPowers, emit: (height: Height, event: ValueEvent) => void) {
    const { blocks, chain } = powers
    this.#powers = powers
    this.#emit = emit
    this.#assembly = new Assembly({ ...powers, finalBlock: (hash) => finalBlockOf(blocks, hash) }, (height, assembled) =>
      emit(height, { kind: 'assembled', assembled }),
    )
    this.#height = Height(chain.head.header.number + 1)
    this.#judge = this.#newJudge()
    this.#assembly.startHeight(this.#height, chain.head.parameters.blockGasMax)
  }

  get counters() {
    return this.#assembly.counters
  }

  /** Follows the chain's head, and forgets the blocks of the height that ended. */
  startHeight(): void {
    this.cancelBuild()
    this.#validating.clear()
    this.#height = Height(this.#powers.chain.head.header.number + 1)
    this.#assembly.startHeight(this.#height, this.#powers.chain.head.parameters.blockGasMax)
    this.#judge = this.#newJudge()
  }

  get(valueId: Hash): CandidateBlock | undefined {
    return this.#assembly.get(valueId)
  }

  /** How a block travels; undefined when it is not known. */
  compact(valueId: Hash): CompactBlock | undefined {
    return this.#assembly.compact(valueId)
  }

  serve(request: BodyRequest): Uint8Array | undefined {
    return this.#assembly.serve(request)
  }

  /** A verified proposal arrived. */
  proposed(round: Round, valueId: Hash, block: CompactBlock, from: PeerId, receivedMs: number): void {
    this.#judge.received(round, valueId, receivedMs)
    this.#assembly.offer(round, valueId, block, from)
  }

  /** Builds a block as soon as the block interval allows; it comes as `built`. */
  build(round: Round): void {
    const { clock, chain } = this.#powers
    const earliestMs = chain.head.header.timeMs + chain.head.parameters.blockIntervalMs
    const waitMs = earliestMs - clock.now()
    if (waitMs <= 0) this.#buildNow(round, earliestMs)
    else this.#cancelBuild = clock.after(waitMs, () => this.#buildNow(round, earliestMs))
  }

  /** The round in which a block was wanted is over. */
  cancelBuild(): void {
    this.#cancelBuild()
  }

  /** The driver's question: the answer when it is known, else work begins and `handle` gives it. */
  ask(ask: Ask): ValueInput | undefined {
    const block = this.#assembly.get(ask.valueId)
    const answer = this.#judge.ask(ask, block)
    if (answer !== undefined) return answer
    if (block === undefined) this.#assembly.want(ask.valueId)
    else this.#validate(block)
    return undefined
  }

  /** What the driver is to be told after work on a value of this height ended. `round` is the one it is in. */
  handle(event: ValueEvent, round: Round | undefined): readonly ValueInput[] {
    switch (event.kind) {
      case 'built':
        return event.round === round ? this.#onBuilt(event.round, event.block) : []
      case 'assembled':
        return this.#onAssembled(event.assembled)
      case 'judged':
        return this.#onJudged(event.block, event.result)
    }
  }

  /** Commits a final block, executing it now unless that was done. Throws HaltError when it is not valid here. */
  commit(block: CandidateBlock, certificate: CommitCertificate): Promise<void> {
    const { chain } = this.#powers
    return this.#chainJobs.run(async () => {
      const result = await chain.validate(block, true)
      if (!result.ok) {
        const { error } = result
        const transaction = error.code === 'interpreter-fault' ? error.transaction : undefined
        const what = error.code === 'interpreter-fault' ? 'cannot be executed' : 'is invalid'
        throw new HaltError(`a decided block ${what} here: ${error.message}`, {
          certificate,
          block,
          head: chain.head.hash,
          transaction,
        })
      }
      await chain.commit(block, certificate)
    })
  }

  /** A body out of the log. Throws CorruptFileError when it is none. */
  async restoreBody({ header, transactions: raws }: RawBlock): Promise<void> {
    const { mempool, crypto } = this.#powers
    const verified = await mempool.verify(raws)
    if (!verified.ok)
      throw new CorruptFileError(`the write-ahead log holds a body that cannot be used: ${verified.error.message}`)
    this.#assembly.hold({ header, hash: headerHash(crypto, header), transactions: verified.value })
  }

  /** A verdict out of the log: the block was executed by an earlier process. */
  restoreInput(input: LoggedInput): void {
    if (input.kind === 'valueValidated') this.#judge.restored(input)
    if (input.kind === 'valueBuilt') this.#judge.restored({ valueId: input.valueId, valid: true })
  }

  /** Resolves when no job runs on the chain any more. */
  idle(): Promise<void> {
    return this.#chainJobs.idle()
  }

  #buildNow(round: Round, earliestMs: number): void {
    const { chain, clock, logger } = this.#powers
    const height = this.#height
    this.#spawn('build', async () => {
      if (this.#height !== height) return
      const fillGasMax = Math.floor(chain.head.parameters.blockGasMax / 2 ** Math.min(round, ENGINE_LIMITS.fillHalvingsMax))
      // A timer may fire a moment early by the wall clock.
      const timeMs = TimeMs(Math.max(earliestMs, clock.now()))
      try {
        const block = await chain.build({ timeMs, feeAddress: this.#feeAddress(round), fillGasMax })
        this.#emit(height, { kind: 'built', round, block })
      } catch (error) {
        logger.error({ height, round, error: textOf(error) }, 'building a block failed: this round gets no proposal of ours')
      }
    })
  }

  #onBuilt(round: Round, block: CandidateBlock): readonly ValueInput[] {
    this.#hold(block)
    this.#judge.judged(block.hash, true, block)
    return [{ kind: 'valueBuilt', height: this.#height, round, valueId: block.hash }]
  }

  #onAssembled(assembled: Assembled): readonly ValueInput[] {
    if (assembled.kind === 'unusable') {
      this.#powers.logger.warn({ block: assembled.valueId, why: assembled.message }, 'a proposed block cannot be valid')
      return this.#judge.judged(assembled.valueId, false, undefined)
    }
    this.#hold(assembled.block)
    this.#validate(assembled.block)
    return []
  }

  #onJudged(block: CandidateBlock, result: Verdict): readonly ValueInput[] {
    this.#validating.delete(block.hash)
    if (!result.ok) {
      const { code, message } = result.error
      this.#powers.logger.warn({ block: block.hash, code, why: message }, 'a proposed block is not valid here')
    }
    return this.#judge.judged(block.hash, result.ok, block)
  }

  #hold(block: CandidateBlock): void {
    this.#assembly.hold(block)
    this.#powers.wal.append({ kind: 'body', block: rawBlock(block) })
  }

  #validate(block: CandidateBlock): void {
    if (this.#validating.has(block.hash)) return
    this.#validating.add(block.hash)
    this.#spawn('validate', async () => {
      const height = block.header.number
      if (this.#height === height) this.#emit(height, { kind: 'judged', block, result: await this.#execute(block) })
    })
  }

  /** Whatever fails is a verdict like others: no reason to stop as long as the block is not decided. */
  async #execute(block: CandidateBlock): Promise<Verdict> {
    try {
      return await this.#powers.chain.validate(block)
    } catch (error) {
      this.#powers.logger.error({ block: block.hash, error: textOf(error) }, 'executing a block failed')
      return { ok: false, error: { code: 'failed', message: textOf(error) } }
    }
  }

  #spawn(name: string, job: () => Promise<void>): void {
    this.#powers.spawn(name, (closing) => this.#chainJobs.run(async () => (closing.aborted ? undefined : job())))
  }

  #newJudge(): ValueJudge {
    return new ValueJudge(this.#powers.chain.head, (round) => this.#feeAddress(round))
  }

  #feeAddress(round: Round) {
    const { validators } = this.#powers.chain.head
    return validators.get(selectProposer(validators, this.#height, round))!.feeAddress
  }
}

function finalBlockOf(blocks: BlockReader, hash: Hash): RawBlock | undefined {
  const height = blocks.heightOf(hash)
  const header = height === undefined ? undefined : blocks.header(height)?.header
  const transactions = height === undefined ? undefined : blocks.body(height)
  return header && transactions && { header, transactions }
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))
