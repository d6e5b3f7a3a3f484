import type { DriverInput, Effect } from '@quoin/consensus'
import { selectProposer } from '@quoin/consensus'
import {
  type CommitCertificate,
  type CompactBlock,
  type Crypto,
  type Hash,
  Height,
  headerHash,
  LIMITS,
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
import { BlockPace } from './block-pace.ts'
import { halts } from './halt.ts'
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
  readonly mempool: Pick<Mempool, 'verified' | 'verify'>
  readonly wal: Pick<Wal, 'append'>
  readonly logger: Logger
  readonly penalise: (peer: PeerId, offence: Offence, why: string) => void
  /** Called when a bug made work for a peer fail. Throws if the error must stop the engine. */
  readonly onFailure: (task: string, error: unknown) => void
  /** Runs a background task. The task must end soon after its signal is aborted. */
  readonly spawn: (name: string, task: (closing: AbortSignal) => Promise<void>) => void
}

/** `failed`: validation threw, because of a bug or a damaged database. */
type Verdict = Result<void, ValidationError | { readonly code: 'failed'; readonly message: string }>

/** Finished work on a value. */
export type ValueEvent =
  | { readonly kind: 'built'; readonly round: Round; readonly block: CandidateBlock }
  | { readonly kind: 'assembled'; readonly assembled: Assembled }
  | { readonly kind: 'judged'; readonly block: CandidateBlock; readonly result: Verdict }

type Ask = Extract<Effect, { kind: 'validateValue' | 'needValue' }>
type ValueInput = Extract<DriverInput, { kind: 'valueBuilt' | 'valueValidated' }>

/**
 * The blocks of one height: builds this node's own, assembles those of other proposers, executes each once, and commits the decided one.
 * Slow work runs beside the engine's loop, one chain job at a time, and returns as an event. A block's body is in the log before any
 * message about it.
 */
export class Values {
  readonly #powers: ValuesPowers
  /** `height` is the height for which the work was started. */
  readonly #emit: (height: Height, event: ValueEvent) => void
  readonly #assembly: Assembly
  readonly #chainJobs = new Sequencer()
  readonly #validating = new Set<Hash>()
  readonly #pace = new BlockPace()
  /** Time that building or validating each block of this height took, in ms. */
  readonly #workMs = new Map<Hash, number>()
  #height: Height
  #judge: ValueJudge
  #cancelBuild: () => void = () => {}

  /** Starts at the height after the chain's head. */
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

  /** Moves to the height after the chain's head, and drops the blocks of the old height. */
  startHeight(): void {
    this.cancelBuild()
    this.#validating.clear()
    this.#workMs.clear()
    this.#height = Height(this.#powers.chain.head.header.number + 1)
    this.#assembly.startHeight(this.#height, this.#powers.chain.head.parameters.blockGasMax)
    this.#judge = this.#newJudge()
  }

  get(valueId: Hash): CandidateBlock | undefined {
    return this.#assembly.get(valueId)
  }

  /** Compact (wire) form of a block; undefined if the block is not known. */
  compact(valueId: Hash): CompactBlock | undefined {
    return this.#assembly.compact(valueId)
  }

  serve(request: BodyRequest): Uint8Array | undefined {
    return this.#assembly.serve(request)
  }

  /** Handles a verified proposal. */
  proposed(round: Round, valueId: Hash, block: CompactBlock, from: PeerId, receivedMs: number): void {
    this.#judge.received(round, valueId, receivedMs)
    this.#assembly.offer(round, valueId, block, from)
  }

  /** Builds a block as soon as the block interval allows; the result is the event `built`. */
  build(round: Round): void {
    const { clock, chain } = this.#powers
    const earliestMs = chain.head.header.timeMs + chain.head.parameters.blockIntervalMs
    const waitMs = earliestMs - clock.now()
    if (waitMs <= 0) this.#buildNow(round, earliestMs)
    else this.#cancelBuild = clock.after(waitMs, () => this.#buildNow(round, earliestMs))
  }

  /** Cancels a planned build: its round is over. */
  cancelBuild(): void {
    this.#cancelBuild()
  }

  /** Handles the driver's request. Returns the answer if it is known; otherwise work starts and `handle` returns the answer. */
  ask(ask: Ask): ValueInput | undefined {
    const block = this.#assembly.get(ask.valueId)
    const answer = this.#judge.ask(ask, block)
    if (answer !== undefined) return answer
    if (block === undefined) this.#assembly.want(ask.valueId)
    else this.#validate(block)
    return undefined
  }

  /** Returns the driver inputs that follow from finished work of this height. `round` is the driver's current round. */
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

  /**
   * Commits a final block; executes it first unless that was done.
   * @throws HaltError if the block is not valid here.
   */
  commit(block: CandidateBlock, certificate: CommitCertificate): Promise<void> {
    const { chain, clock } = this.#powers
    return this.#chainJobs.run(async () => {
      const startedMs = clock.monotonic()
      const { blockIntervalMs } = chain.head.parameters
      const result = await chain.validate(block, true)
      if (!result.ok) throw halts.invalid({ certificate, head: chain.head.hash }, block, result.error)
      await chain.commit(block, certificate)
      const workMs = (this.#workMs.get(block.hash) ?? 0) + clock.monotonic() - startedMs
      // The proposer builds a block before the others validate it, so each has half of the interval.
      this.#pace.took(usedPart(block), workMs, Math.max(blockIntervalMs, ENGINE_LIMITS.pacedIntervalMsMin) / 2)
    })
  }

  /**
   * Restores a block body from the log.
   * @throws CorruptFileError if a transaction is invalid.
   */
  async restoreBody({ header, transactions: raws }: RawBlock): Promise<void> {
    const { mempool, crypto } = this.#powers
    const verified = await mempool.verify(raws)
    if (!verified.ok)
      throw new CorruptFileError(
        `the write-ahead log contains a block body with an invalid transaction: ${verified.error.message}`,
      )
    this.#assembly.hold({ header, hash: headerHash(crypto, header), transactions: verified.value })
  }

  /** Restores a verdict from the log: an earlier process executed the block. */
  restoreInput(input: LoggedInput): void {
    if (input.kind === 'valueValidated') this.#judge.restored(input)
    if (input.kind === 'valueBuilt') this.#judge.restored({ valueId: input.valueId, valid: true })
  }

  /** Resolves when no chain job is running. */
  idle(): Promise<void> {
    return this.#chainJobs.idle()
  }

  #buildNow(round: Round, earliestMs: number): void {
    const { chain, clock, logger } = this.#powers
    const height = this.#height
    this.#spawn('build', async () => {
      if (this.#height !== height) return
      const fillGasMax = Math.floor(chain.head.parameters.blockGasMax / 2 ** Math.min(round, ENGINE_LIMITS.fillHalvingsMax))
      // By the wall clock, a timer may fire slightly early.
      const timeMs = TimeMs(Math.max(earliestMs, clock.now()))
      try {
        const startedMs = clock.monotonic()
        const block = await chain.build({ timeMs, feeAddress: this.#feeAddress(round), fillGasMax, fillPart: this.#pace.part })
        this.#workMs.set(block.hash, clock.monotonic() - startedMs)
        this.#emit(height, { kind: 'built', round, block })
      } catch (error) {
        logger.error(
          { height, round, error: textOf(error) },
          'building a block failed: this node makes no proposal in this round',
        )
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
      this.#powers.logger.warn({ block: assembled.valueId, why: assembled.message }, 'a proposed block is invalid')
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
      this.#powers.logger.warn({ block: block.hash, code, why: message }, 'a proposed block is not valid on this node')
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

  /** Any failure counts as a negative verdict. As long as the block is not decided, there is no reason to stop. */
  async #execute(block: CandidateBlock): Promise<Verdict> {
    const { chain, clock } = this.#powers
    const startedMs = clock.monotonic()
    try {
      const verdict = await chain.validate(block)
      this.#workMs.set(block.hash, clock.monotonic() - startedMs)
      return verdict
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

/** Fraction of a block's gas or bytes that is used, whichever is larger. */
const usedPart = ({ header: { gasUsed, gasLimit }, transactions }: CandidateBlock): number =>
  Math.max(gasUsed / gasLimit, transactions.reduce((sum, { raw }) => sum + raw.length, 0) / LIMITS.blockBytesMax)
