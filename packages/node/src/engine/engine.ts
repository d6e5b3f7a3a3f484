import { Driver, type DriverInput, type Effect, type State, selectProposer, timeoutMs } from '@quoin/consensus'
import {
  bytesToHex,
  type CommitCertificate,
  type Crypto,
  type Evidence,
  type Hash,
  Height,
  headerHash,
  type Result,
  type Round,
  TimeMs,
} from '@quoin/protocol'
import type { CandidateBlock, Chain, ValidationError } from '../chain/types.ts'
import { Scope } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import type { Mempool } from '../mempool/types.ts'
import type { Clock, LogFile, Offence, PeerId, Random, Transport } from '../powers.ts'
import type { BlockReader } from '../store/types.ts'
import type { BlockSync, SyncedBlock } from '../sync/types.ts'
import { type Assembled, Assembly, rawBlock } from './assembly.ts'
import { CatchUp } from './catch-up.ts'
import type { Crc32c } from './crc32c.ts'
import { EventQueue } from './event-queue.ts'
import { EvidencePool } from './evidence-pool.ts'
import { FutureMessages } from './future-messages.ts'
import { HaltError } from './halt.ts'
import { LastSignState } from './last-sign-state.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { MessageVerifier } from './message-verifier.ts'
import { decodeMessage, decodeRequest, type EngineMessage, messageHeight } from './messages.ts'
import { Outbox } from './outbox.ts'
import { Pacing } from './pacing.ts'
import { PrivateValidator, type Signer } from './private-validator.ts'
import { CorruptFileError } from './record-file.ts'
import { replay } from './replay.ts'
import { Sequencer } from './sequencer.ts'
import { type Elapsed, TimeoutTicker } from './ticker.ts'
import { timeoutsOf } from './timeouts.ts'
import { ValueJudge } from './value-judge.ts'
import { type LoggedInput, Wal, type WalContent } from './wal.ts'

export interface EngineOptions {
  readonly crypto: Crypto
  readonly crc32c: Crc32c
  readonly clock: Clock
  readonly random: Random
  readonly transport: Pick<Transport, 'peers' | 'send' | 'request' | 'penalise'>
  /** Closed by whoever opened them, after the engine has stopped. */
  readonly files: { readonly wal: LogFile; readonly signState: LogFile }
  readonly chain: Chain
  readonly blocks: BlockReader
  readonly mempool: Mempool
  readonly sync: BlockSync
  /** Undefined follows without voting. */
  readonly signer: Signer | undefined
  readonly logger: Logger
  /** The engine has stopped by itself, for good: see the error. Called once. */
  readonly onHalt: (error: unknown) => void
  readonly onEvidence?: (evidence: Evidence) => void
}

/** Where the engine is. `waiting`: the height has not begun, for there is nothing to put into a block yet. */
export interface EngineStatus {
  readonly height: Height
  readonly round: Round
  readonly step: State['step'] | 'waiting'
}

type Event =
  | { readonly kind: 'message'; readonly from: PeerId; readonly bytes: Uint8Array; readonly receivedMs: number }
  | { readonly kind: 'peer'; readonly peer: PeerId }
  | { readonly kind: 'due'; readonly height: Height }
  | { readonly kind: 'elapsed'; readonly elapsed: Elapsed }
  | { readonly kind: 'built'; readonly round: Round; readonly block: CandidateBlock }
  | { readonly kind: 'assembled'; readonly assembled: Assembled }
  | { readonly kind: 'judged'; readonly block: CandidateBlock; readonly result: Result<void, ValidationError> }
  | { readonly kind: 'synced'; readonly synced: SyncedBlock }
  | { readonly kind: 'tick' }

type Decision = Pick<Extract<Effect, { kind: 'decide' }>, 'valueId' | 'certificate'>

/**
 * Consensus of one node around the pure driver: one sequential loop over one bounded queue. The loop takes a batch of events, checks what
 * is signed, logs what the driver is told, carries out what the driver asks, makes the log durable, and only then lets messages leave.
 * Whatever takes time (building, executing, fetching) runs beside the loop, one job at a time on the chain, and comes back as an event.
 */
export class Engine {
  readonly #options: EngineOptions
  readonly #scope: Scope
  readonly #queue = new EventQueue<Event>()
  readonly #driver = new Driver()
  readonly #inputs: LoggedInput[] = []
  readonly #chainJobs = new Sequencer()
  readonly #wal: Wal
  readonly #validator: PrivateValidator | undefined
  readonly #verifier: MessageVerifier
  readonly #outbox: Outbox
  readonly #assembly: Assembly
  readonly #ticker: TimeoutTicker
  readonly #pacing: Pacing
  readonly #future = new FutureMessages()
  readonly #catchUp: CatchUp
  readonly #evidence: EvidencePool
  /** Certificates and proposals of this height that the driver has taken, by the hash of their bytes. */
  readonly #seen = new Set<string>()
  readonly #lateReplies = new Map<PeerId, number>()
  readonly #validating = new Set<Hash>()
  #judge: ValueJudge
  #height: Height
  #begun = false
  #beganMs: number
  #decided: Decision | undefined
  #synced: SyncedBlock | undefined
  #cancelBuild: () => void = () => {}
  #cancelTick: () => void = () => {}
  #lastPosition = ''
  #stopping = false

  /**
   * Opens the log and the sign state, replays what a crash left, and starts the loop; messages may come from then on. Throws
   * CorruptFileError when the files cannot be trusted.
   */
  static async start(options: EngineOptions): Promise<Engine> {
    const { crc32c, random, files, chain, signer, crypto } = options
    const { genesisHash } = chain.domain
    const { wal, content } = await Wal.open({ file: files.wal, crc32c, random }, genesisHash)
    const signState = signer && (await LastSignState.open({ file: files.signState, crc32c, random }))
    const validator = signer && signState && new PrivateValidator(signer, crypto, chain.domain, signState)
    const engine = new Engine(options, wal, validator)
    await engine.#resume(content)
    engine.#scope.spawn('engine', () => engine.#run())
    return engine
  }

  private constructor(options: EngineOptions, wal: Wal, validator: PrivateValidator | undefined) {
    const { chain, crypto, clock, transport, mempool, blocks, sync, logger } = options
    this.#options = options
    this.#scope = new Scope((error) => this.#halt(error))
    this.#wal = wal
    this.#validator = validator
    this.#verifier = new MessageVerifier(crypto, chain.domain)
    this.#outbox = new Outbox(transport, wal, validator)
    const spawn = (name: string, task: (closing: AbortSignal) => Promise<void>) => {
      if (!this.#stopping) this.#scope.spawn(name, task)
    }
    const penalise = (peer: PeerId, offence: Offence, why: string) => this.#penalise(peer, offence, why)
    const finalBlock = (hash: Hash) => finalBlockOf(blocks, hash)
    this.#assembly = new Assembly({ crypto, clock, transport, mempool, finalBlock, penalise, spawn }, (assembled) =>
      this.#queue.push({ kind: 'assembled', assembled }),
    )
    this.#ticker = new TimeoutTicker(clock, (elapsed) => this.#queue.push({ kind: 'elapsed', elapsed }))
    this.#pacing = new Pacing(
      clock,
      () => mempool.executableCount > 0,
      () => this.#queue.push({ kind: 'due', height: this.#height }),
    )
    this.#evidence = new EvidencePool((evidence, offender) => {
      logger.warn({ offender, height: evidence.first.height, kind: evidence.kind }, 'a validator contradicted itself')
      options.onEvidence?.(evidence)
    })
    const headHeight = () => chain.head.header.number
    this.#catchUp = new CatchUp({ sync, clock, headHeight, spawn }, (synced) => this.#queue.push({ kind: 'synced', synced }))
    this.#height = Height(chain.head.header.number + 1)
    this.#judge = this.#newJudge()
    this.#beganMs = clock.monotonic()
    const unsubscribe = mempool.onAdmitted(() => this.#pacing.admitted())
    this.#scope.own({ close: unsubscribe })
  }

  get status(): EngineStatus {
    const state = this.#driver.state
    if (!this.#begun || state === undefined) return { height: this.#height, round: 0 as Round, step: 'waiting' }
    return { height: state.height, round: state.round, step: state.step }
  }

  /** Running totals, for metrics and tests. */
  get counters() {
    return { ...this.#outbox.counters, ...this.#assembly.counters, verifiedVotes: this.#verifier.verifications }
  }

  get evidence(): readonly Evidence[] {
    return this.#evidence.list()
  }

  /** A message of the ordered stream. */
  onMessage(from: PeerId, bytes: Uint8Array): void {
    const receivedMs = this.#options.clock.now()
    if (!this.#queue.pushFrom(from, { kind: 'message', from, bytes, receivedMs })) this.#penalise(from, 'flood', 'queue is full')
  }

  /** A question whose first byte is `ENGINE_REQUEST`; undefined refuses it. */
  async onRequest(from: PeerId, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const request = decodeRequest(bytes)
    if (request.ok) return this.#assembly.serve(request.value)
    this.#penalise(from, 'malformed', request.error.message)
    return undefined
  }

  onPeer(peer: PeerId, state: 'up' | 'down'): void {
    if (state === 'up') this.#queue.push({ kind: 'peer', peer })
    else this.#lateReplies.delete(peer)
  }

  /** Ends after the batch that is being worked on, and waits for everything that was started. */
  async stop(): Promise<void> {
    this.#silence()
    await this.#scope.close()
    await this.#chainJobs.idle()
  }

  #silence(): void {
    this.#stopping = true
    this.#queue.close()
    this.#ticker.clear()
    this.#pacing.clear()
    this.#cancelBuild()
    this.#cancelTick()
    this.#catchUp.close()
  }

  #halt(error: unknown): void {
    if (this.#stopping) return
    this.#silence()
    this.#options.onHalt(error)
  }

  // ---- the loop

  async #run(): Promise<void> {
    for (;;) {
      const events = await this.#queue.take(ENGINE_LIMITS.batchCountMax)
      if (events.length === 0) return
      for (const event of events) this.#handle(event)
      await this.#settle()
    }
  }

  /** Lets messages leave, and ends the height as often as one is final. */
  async #settle(): Promise<void> {
    for (;;) {
      await this.#outbox.flush()
      if (this.#stopping) return
      if (this.#decided !== undefined) await this.#commitDecided(this.#decided)
      else if (this.#synced !== undefined) await this.#commitSynced(this.#synced)
      else return
    }
  }

  #handle(event: Event): void {
    switch (event.kind) {
      case 'message':
        return this.#onBytes(event.from, event.bytes, event.receivedMs)
      case 'peer':
        return this.#greet(event.peer)
      case 'due':
        if (event.height === this.#height) this.#begin()
        return
      case 'elapsed':
        this.#feed({ kind: 'timeout', ...event.elapsed })
        return
      case 'built':
        return this.#onBuilt(event.round, event.block)
      case 'assembled':
        return this.#onAssembled(event.assembled)
      case 'judged':
        return this.#onJudged(event.block, event.result)
      case 'synced':
        this.#synced = event.synced
        return
      case 'tick':
        return this.#onTick()
    }
  }

  // ---- messages

  #onBytes(from: PeerId, bytes: Uint8Array, receivedMs: number): void {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) return this.#penalise(from, 'malformed', decoded.error.message)
    const message = decoded.value
    const height = messageHeight(message)
    if (height > this.#height) {
      this.#options.sync.hint(from, Height(height - 1))
      if (message.kind !== 'status' && height <= this.#height + ENGINE_LIMITS.futureHeightsMax)
        this.#future.add({ from, height, bytes, receivedMs })
    } else if (height < this.#height) this.#onLate(from, message)
    else if (message.kind !== 'status') this.#onCurrent(from, message, bytes, receivedMs)
  }

  #onCurrent(from: PeerId, message: Exclude<EngineMessage, { kind: 'status' }>, bytes: Uint8Array, receivedMs: number): void {
    const begins = message.kind === 'proposal' || message.kind === 'commitCertificate' || this.#pacing.open
    if (!this.#begun && !begins) return this.#future.add({ from, height: this.#height, bytes, receivedMs })
    const key = message.kind === 'vote' ? undefined : bytesToHex(this.#options.crypto.sha256(bytes))
    if (key !== undefined && this.#seen.has(key)) return
    const verified = this.#verifier.verify(this.#options.chain.head.validators, message)
    if (!verified.ok) {
      const offence = verified.error.code === 'not-proposer' ? 'out-of-turn' : 'invalid'
      return this.#penalise(from, offence, verified.error.message)
    }
    this.#begin()
    if (message.kind === 'proposal') {
      const { proposal, block } = message
      this.#judge.received(proposal.round, proposal.valueId, receivedMs)
      this.#assembly.offer(proposal.valueId, block, from)
    }
    const refusal = this.#feed(inputOf(message))
    if (refusal?.verdict === 'reject') return this.#penalise(from, 'invalid', refusal.code)
    if (key !== undefined && (refusal === undefined || refusal.code === 'duplicate')) this.#remember(key)
  }

  #remember(key: string): void {
    this.#seen.add(key)
    for (const oldest of this.#seen) {
      if (this.#seen.size <= ENGINE_LIMITS.seenMessagesCountMax) break
      this.#seen.delete(oldest)
    }
  }

  /** A peer still works on a height that is final here. Votes that were merely under way need no answer. */
  #onLate(from: PeerId, message: EngineMessage): void {
    if (message.kind === 'commitCertificate') return
    const nowMs = this.#options.clock.monotonic()
    const last = Math.max(this.#lateReplies.get(from) ?? -Infinity, this.#beganMs)
    if (nowMs - last < ENGINE_LIMITS.lateReplyMs) return
    this.#lateReplies.set(from, nowMs)
    const { header, certificate } = this.#options.chain.head
    if (messageHeight(message) === header.number && certificate !== undefined) {
      this.#outbox.add({ kind: 'commitCertificate', certificate }, from)
    } else this.#sayStatus(from)
  }

  #sayStatus(to?: PeerId): void {
    const { height, round } = this.status
    this.#outbox.add({ kind: 'status', height, round }, to)
  }

  #greet(peer: PeerId): void {
    this.#sayStatus(peer)
    if (this.#begun) this.#rebroadcast(peer)
  }

  #penalise(peer: PeerId, offence: Offence, why: string): void {
    this.#options.logger.debug({ peer, offence, why }, 'message refused')
    this.#options.transport.penalise(peer, offence)
  }

  // ---- the driver

  /** Tells the driver one thing and everything that follows from it. Returns why the driver did not take it. */
  #feed(input: LoggedInput) {
    const refusal = this.#step(input)
    this.#drain()
    return refusal
  }

  /** Feeds back what effects gave rise to: our own votes and proposals, and verdicts known at once. */
  #drain(): void {
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#step(next)
  }

  #step(input: LoggedInput) {
    const { effects, refusal } = this.#driver.step(input)
    if (refusal === undefined || effects.length > 0 || 'certificate' in input || input.kind === 'proposal')
      this.#wal.append(input)
    for (const effect of effects) this.#act(effect)
    return refusal
  }

  #act(effect: Effect): void {
    switch (effect.kind) {
      case 'newRound':
        return this.#onNewRound(effect.round)
      case 'getValue':
        return this.#scheduleBuild(effect.round)
      case 'propose':
        return this.#propose(effect)
      case 'vote':
        return this.#vote(effect)
      case 'scheduleTimeout': {
        const { timeout, height, round } = effect
        const ms = timeoutMs(timeoutsOf(this.#options.chain.head.parameters), timeout, round)
        return this.#ticker.schedule({ timeout, height, round }, ms)
      }
      case 'validateValue':
      case 'needValue':
        return this.#judgeValue(effect)
      case 'publishPolkaCertificate':
        return this.#outbox.add({ kind: 'polkaCertificate', certificate: effect.certificate })
      case 'decide':
        this.#decided = effect
        return
      case 'invalidDecision':
        throw this.#haltError('more than two thirds of the power decided a block that is invalid here', effect.certificate)
      case 'evidence':
        return this.#evidence.add(effect.evidence)
    }
  }

  #onNewRound(round: Round): void {
    this.#ticker.clear()
    this.#cancelBuild()
    if (round > 0) this.#options.logger.info({ height: this.#height, round }, 'new round')
  }

  #propose({ proposal: unsigned, polka }: Extract<Effect, { kind: 'propose' }>): void {
    const block = this.#assembly.compact(unsigned.valueId)
    if (block === undefined) throw new Error(`no body for our proposal ${unsigned.valueId}`)
    const signed = this.#validator?.signProposal(unsigned)
    if (signed === undefined || !signed.ok) return this.#notSigned(signed?.error.message)
    this.#inputs.push({ kind: 'proposal', proposal: signed.value, polka })
    this.#outbox.add({ kind: 'proposal', proposal: signed.value, block, polka })
  }

  #vote({ vote: unsigned }: Extract<Effect, { kind: 'vote' }>): void {
    const signed = this.#validator?.signVote(unsigned)
    if (signed === undefined || !signed.ok) return this.#notSigned(signed?.error.message)
    this.#verifier.remember(signed.value)
    this.#inputs.push({ kind: 'vote', vote: signed.value })
    this.#outbox.add({ kind: 'vote', vote: signed.value })
  }

  #notSigned(why: string | undefined): void {
    this.#options.logger.warn({ height: this.#height, why }, 'the sign state refused a signature: this validator keeps silent')
  }

  // ---- values

  #scheduleBuild(round: Round): void {
    const { header, parameters } = this.#options.chain.head
    const waitMs = header.timeMs + parameters.blockIntervalMs - this.#options.clock.now()
    if (waitMs <= 0) return this.#build(round)
    this.#cancelBuild = this.#options.clock.after(waitMs, () => this.#build(round))
  }

  #build(round: Round): void {
    const { chain, clock, logger } = this.#options
    const height = this.#height
    const feeAddress = this.#feeAddress(round)
    this.#spawn('build', async () => {
      if (this.#height !== height || this.#stopping) return
      const fillGasMax = Math.floor(chain.head.parameters.blockGasMax / 2 ** Math.min(round, ENGINE_LIMITS.fillHalvingsMax))
      try {
        const block = await chain.build({ timeMs: TimeMs(clock.now()), feeAddress, fillGasMax })
        this.#queue.push({ kind: 'built', round, block })
      } catch (error) {
        logger.error({ height, round, error: messageOf(error) }, 'building a block failed: this round gets no proposal of ours')
      }
    })
  }

  #onBuilt(round: Round, block: CandidateBlock): void {
    if (block.header.number !== this.#height || this.#driver.state?.round !== round) return
    this.#assembly.hold(block)
    this.#wal.append({ kind: 'body', block: rawBlock(block) })
    this.#judge.judged(block.hash, true, block)
    this.#feed({ kind: 'valueBuilt', height: this.#height, round, valueId: block.hash })
  }

  #judgeValue(ask: Extract<Effect, { kind: 'validateValue' | 'needValue' }>): void {
    const block = this.#assembly.get(ask.valueId)
    const answer = this.#judge.ask(ask, block)
    if (answer !== undefined) this.#inputs.push(answer)
    else if (block !== undefined) this.#validate(block)
    else this.#assembly.want(ask.valueId)
  }

  #onAssembled(assembled: Assembled): void {
    if (assembled.kind === 'unusable') {
      this.#options.logger.warn({ block: assembled.valueId, why: assembled.message }, 'a proposed block cannot be valid')
      for (const answer of this.#judge.judged(assembled.valueId, false, undefined)) this.#feed(answer)
      return
    }
    const { block } = assembled
    if (block.header.number !== this.#height) return
    this.#assembly.hold(block)
    this.#wal.append({ kind: 'body', block: rawBlock(block) })
    this.#validate(block)
  }

  #validate(block: CandidateBlock): void {
    if (this.#validating.has(block.hash)) return
    this.#validating.add(block.hash)
    this.#spawn('validate', async () => {
      if (block.header.number !== this.#height || this.#stopping) return
      this.#queue.push({ kind: 'judged', block, result: await this.#execute(block) })
    })
  }

  /** A fault of the engine is no reason to stop as long as the block is not decided: the vote is nil. */
  async #execute(block: CandidateBlock): Promise<Result<void, ValidationError>> {
    try {
      return await this.#options.chain.validate(block)
    } catch (error) {
      this.#options.logger.error({ block: block.hash, error: messageOf(error) }, 'executing a proposed block failed')
      return { ok: false, error: { code: 'root-mismatch', message: messageOf(error) } }
    }
  }

  #onJudged(block: CandidateBlock, result: Result<void, ValidationError>): void {
    this.#validating.delete(block.hash)
    if (block.header.number !== this.#height) return
    if (!result.ok) {
      const { code, message } = result.error
      this.#options.logger.warn({ block: block.hash, code, why: message }, 'a proposed block is invalid')
      if (code === 'root-mismatch') {
        this.#options.mempool.quarantine(
          block.transactions.map(({ hash }) => hash),
          ENGINE_LIMITS.quarantineHeights,
        )
      }
    }
    for (const answer of this.#judge.judged(block.hash, result.ok, block)) this.#feed(answer)
  }

  /** Runs a job on the chain beside the loop, after those before it. */
  #spawn(name: string, job: () => Promise<void>): void {
    if (!this.#stopping) this.#scope.spawn(name, () => this.#chainJobs.run(job))
  }

  #newJudge(): ValueJudge {
    return new ValueJudge(this.#options.chain.head, (round) => this.#feeAddress(round))
  }

  #feeAddress(round: Round) {
    const { validators } = this.#options.chain.head
    return validators.get(selectProposer(validators, this.#height, round))!.feeAddress
  }

  // ---- heights

  async #commitDecided({ valueId, certificate }: Decision): Promise<void> {
    const block = this.#assembly.get(valueId)
    if (block === undefined) throw new Error(`no body for the decided block ${valueId}`)
    await this.#commit(block, certificate)
  }

  async #commitSynced({ block, certificate, from }: SyncedBlock): Promise<void> {
    if (block.header.number === this.#height) {
      this.#options.logger.debug({ height: this.#height, from }, 'block synced')
      await this.#commit(block, certificate)
    }
    this.#synced = undefined
    this.#catchUp.resume()
  }

  async #commit(block: CandidateBlock, certificate: CommitCertificate): Promise<void> {
    await this.#chainJobs.run(async () => {
      const { chain } = this.#options
      if (!this.#judge.isExecuted(block.hash)) {
        const result = await chain.validate(block)
        if (!result.ok) throw this.#haltError(`a decided block is invalid here: ${result.error.message}`, certificate)
      }
      await chain.commit(block, certificate)
    })
    const { header, transactions } = block
    this.#options.logger.info(
      { height: header.number, round: certificate.round, hash: block.hash, transactions: transactions.length },
      'block final',
    )
    await this.#enterHeight()
  }

  /** Waits for the next height to begin, and looks at what already came for it. */
  async #enterHeight(): Promise<void> {
    this.#leaveHeight()
    this.#height = Height(this.#options.chain.head.header.number + 1)
    await this.#wal.checkpoint(this.#height)
    await this.#validator?.compact()
    this.#prepare()
    this.#sayStatus()
    for (const { from, bytes, receivedMs } of this.#future.take(this.#height)) this.#onBytes(from, bytes, receivedMs)
  }

  #leaveHeight(): void {
    this.#begun = false
    this.#decided = undefined
    this.#ticker.clear()
    this.#cancelBuild()
    this.#seen.clear()
    this.#validating.clear()
    this.#inputs.length = 0
  }

  #prepare(): void {
    const { header, parameters } = this.#options.chain.head
    this.#beganMs = this.#options.clock.monotonic()
    this.#assembly.startHeight(this.#height)
    this.#judge = this.#newJudge()
    this.#evidence.prune(this.#height)
    this.#pacing.wait(header.timeMs, parameters)
    this.#scheduleTick()
  }

  /** Starts round 0, unless it has begun. */
  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#pacing.clear()
    for (const effect of this.#driver.step(this.#startInput()).effects) this.#act(effect)
    this.#drain()
    for (const { from, bytes, receivedMs } of this.#future.take(this.#height)) this.#onBytes(from, bytes, receivedMs)
  }

  #startInput(): Extract<DriverInput, { kind: 'startHeight' }> {
    const { validators } = this.#options.chain.head
    return { kind: 'startHeight', height: this.#height, validators, self: this.#validator?.address }
  }

  // ---- helping a slow round along

  #scheduleTick(): void {
    this.#cancelTick()
    this.#cancelTick = this.#options.clock.after(ENGINE_LIMITS.rebroadcastMs, () => this.#queue.push({ kind: 'tick' }))
  }

  #onTick(): void {
    this.#scheduleTick()
    const { height, round, step } = this.status
    const position = `${height}/${round}/${step}`
    const moved = position !== this.#lastPosition
    this.#lastPosition = position
    if (moved) return
    this.#sayStatus()
    if (this.#begun) this.#rebroadcast()
  }

  /** Everything that lets a peer which missed something come to where we are; votes of others too, for not all may reach all. */
  #rebroadcast(to?: PeerId): void {
    const { round } = this.status
    const { proposals, polkaCertificate, roundCertificate } = this.#driver.rebroadcast()
    if (roundCertificate !== undefined) this.#outbox.add({ kind: 'roundCertificate', certificate: roundCertificate }, to)
    for (const { proposal, polka } of proposals) {
      const block = this.#assembly.compact(proposal.valueId)
      if (block !== undefined) this.#outbox.add({ kind: 'proposal', proposal, block, polka }, to)
    }
    if (polkaCertificate !== undefined) this.#outbox.add({ kind: 'polkaCertificate', certificate: polkaCertificate }, to)
    for (const kind of ['prevote', 'precommit'] as const) {
      for (const vote of this.#driver.votes(round, kind)) this.#outbox.add({ kind: 'vote', vote }, to)
    }
  }

  // ---- restart

  async #resume(content: WalContent | undefined): Promise<void> {
    if (content !== undefined && content.height > this.#height) {
      throw new CorruptFileError(
        `the write-ahead log is at height ${content.height}, the database at ${this.#height - 1}: the database lost blocks that this ` +
          'validator had voted on. Restore a later copy of the database, or remove the data directory and sync it again, keeping the sign state.',
      )
    }
    if (content === undefined || content.height < this.#height) {
      await this.#wal.checkpoint(this.#height)
      return this.#prepare()
    }
    this.#prepare()
    const inputs = content.entries.filter((entry) => entry.kind !== 'body')
    if (inputs.length === 0) return
    for (const entry of content.entries) if (entry.kind === 'body') await this.#restoreBody(entry.block)
    for (const input of inputs) this.#restoreInput(input)
    this.#begun = true
    this.#pacing.clear()
    const open = replay(this.#driver, this.#startInput(), inputs)
    const { round } = this.status
    this.#options.logger.info({ height: this.#height, round, inputs: inputs.length }, 'replayed the write-ahead log')
    for (const effect of open) this.#act(effect)
    this.#drain()
    this.#queue.push({ kind: 'tick' })
  }

  async #restoreBody({ header, transactions: raws }: ReturnType<typeof rawBlock>): Promise<void> {
    const verified = await this.#options.mempool.verify(raws)
    if (!verified.ok) throw new CorruptFileError(`the write-ahead log holds a body that is not valid: ${verified.error.message}`)
    this.#assembly.hold({ header, hash: headerHash(this.#options.crypto, header), transactions: verified.value })
  }

  #restoreInput(input: LoggedInput): void {
    if (input.kind === 'valueValidated') this.#judge.restored(input)
    if (input.kind === 'valueBuilt') this.#judge.restored({ valueId: input.valueId, valid: true })
    const self = this.#validator?.address
    if (input.kind === 'vote' && input.vote.validator === self) this.#validator?.restoreVote(input.vote)
    if (input.kind === 'proposal' && input.proposal.proposer === self) this.#validator?.restoreProposal(input.proposal)
  }

  /** What an operator needs to see when the node stops for good. */
  #haltError(message: string, certificate: CommitCertificate): HaltError {
    const block = this.#assembly.get(certificate.blockHash) ?? this.#synced?.block
    return new HaltError(message, {
      certificate,
      header: block?.header,
      head: this.#options.chain.head.hash,
      state: this.#driver.state,
    })
  }
}

type CurrentMessage = Exclude<EngineMessage, { kind: 'status' }>

const inputOf = (message: CurrentMessage): LoggedInput =>
  message.kind === 'proposal' ? { kind: 'proposal', proposal: message.proposal, polka: message.polka } : message

function finalBlockOf(blocks: BlockReader, hash: Hash) {
  const height = blocks.heightOf(hash)
  const header = height === undefined ? undefined : blocks.header(height)?.header
  const transactions = height === undefined ? undefined : blocks.body(height)
  return header && transactions && { header, transactions }
}

const messageOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))
