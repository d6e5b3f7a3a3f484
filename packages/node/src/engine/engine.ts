import { type CommitCertificate, type Evidence, Height, type Round, type Vote } from '@quoin/protocol'
import { pause } from '../abort.ts'
import type { CandidateBlock } from '../chain/types.ts'
import { Scope } from '../lifecycle.ts'
import type { Offence, PeerId } from '../powers.ts'
import type { SyncedBlock } from '../sync/types.ts'
import { CatchUp } from './catch-up.ts'
import { Consensus, type Decision } from './consensus.ts'
import { EventQueue } from './event-queue.ts'
import { isHalting } from './halt.ts'
import { HeightLog } from './height-log.ts'
import { Inbox, type Received, type SignedMessage, type Sorted } from './inbox.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { decodeRequest, type MessageHead, messagePosition, proposalBytesMax } from './messages.ts'
import { Outbox } from './outbox.ts'
import { Pacing } from './pacing.ts'
import { PrivateValidator } from './private-validator.ts'
import { honestPeersNeeded, Rejoin } from './rejoin.ts'
import { openSignState, SignCustody } from './sign-custody.ts'
import { Timeliness } from './timeliness.ts'
import type { ConsensusView, EngineEvent, EngineOptions, EngineStatus } from './types.ts'
import { Values } from './values.ts'
import { type LoggedInput, Wal, type WalContent } from './wal.ts'

/**
 * Runs consensus for one node around the pure driver: one sequential loop over one bounded queue. The loop takes a batch of events, logs
 * the driver's inputs, executes the driver's effects, makes the log durable, and only then sends messages. Slow work (building, executing,
 * fetching) runs beside the loop and returns as an event; only the commit of a final block blocks the loop.
 */
export class Engine {
  readonly #options: EngineOptions
  readonly #scope: Scope
  readonly #queue = new EventQueue<EngineEvent>()
  readonly #log: HeightLog
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  readonly #values: Values
  readonly #consensus: Consensus
  readonly #pacing: Pacing
  readonly #catchUp: CatchUp
  /** If undefined, the node follows the chain and does not vote. */
  readonly #custody: SignCustody | undefined
  readonly #rejoin: Rejoin
  #hasRejoined = false
  /** Whether a peer that was ahead has proved that this height is final. */
  #isProven = false
  /** True once the wait after a start is over and the log left by a crash has been replayed. */
  #takesPart = false
  /** Content of this height's log from before a crash, until it is replayed or the height is final. */
  #left: WalContent | undefined
  /** The height became due before the node was allowed to begin it. */
  #isDue = false
  readonly #timeliness: Timeliness
  readonly #lateReplies = new Map<PeerId, number>()
  #height: Height
  #begun = false
  /** Monotonic time at which the last height ended. */
  #enteredMs: number
  #synced: SyncedBlock | undefined
  #cancelTick: () => void = () => {}
  #lastPosition = ''
  #stopping = false
  /** Number of times a bug made work for a peer fail. */
  #failures = 0

  /**
   * Opens the log and the sign state, replays what a crash left, and starts the loop. Messages may arrive from then on.
   * @throws CorruptFileError if a file is damaged, missing, or belongs to another key or chain.
   */
  static async start(options: EngineOptions): Promise<Engine> {
    const { crc32c, random, files, chain, signer, crypto } = options
    const { wal, content } = await Wal.open({ file: files.wal, crc32c, random }, chain.domain.genesisHash)
    const owner = signer && { validator: signer.address, genesisHash: chain.domain.genesisHash }
    const state =
      owner &&
      (await openSignState({ file: files.signState, crc32c, random }, owner, options.signState ?? {}, chain.head.header.number))
    const validator = signer && state && new PrivateValidator(signer, crypto, chain.domain, state)
    const engine = new Engine(options, wal, validator)
    await engine.#open(content)
    engine.#rejoin.begin()
    engine.#scope.spawn('engine', () => engine.#run())
    return engine
  }

  private constructor(options: EngineOptions, wal: Wal, validator: PrivateValidator | undefined) {
    const { chain, crypto, clock, transport, mempool, sync, logger, evidence } = options
    const spawn = (name: string, task: (closing: AbortSignal) => Promise<void>) => {
      if (!this.#stopping) this.#scope.spawn(name, task)
    }
    const penalise = (peer: PeerId, offence: Offence, why: string) => this.#penalise(peer, offence, why)
    const onFailure = (task: string, error: unknown) => this.#giveUp(task, error)
    this.#options = options
    this.#height = Height(chain.head.header.number + 1)
    this.#enteredMs = clock.monotonic()
    this.#scope = new Scope((error) => this.#halt(error))
    const onVote = (vote: Vote) => this.#custody?.heard(vote)
    const onEvidence = (from: PeerId, found: Evidence) => evidence.received(from, found)
    this.#inbox = new Inbox({ crypto, domain: chain.domain, sync, logger, penalise, onVote, onEvidence })
    this.#outbox = new Outbox(transport, wal, validator)
    this.#values = new Values({ ...options, wal, spawn, penalise, onFailure }, (height, event) =>
      this.#queue.push({ kind: 'value', height, event }),
    )
    this.#timeliness = new Timeliness(logger)
    this.#log = new HeightLog(wal, validator, logger)
    this.#consensus = new Consensus({
      ...{ clock, chain, wal, validator, logger, evidence, outbox: this.#outbox, values: this.#values },
      onElapsed: (elapsed) => this.#queue.push({ kind: 'elapsed', height: elapsed.height, elapsed }),
      onVote: (vote) => this.#inbox.signed(vote),
    })
    this.#pacing = new Pacing(
      clock,
      () => mempool.executableCount > 0,
      () => this.#queue.push({ kind: 'due', height: this.#height }),
    )
    this.#catchUp = new CatchUp({ sync, clock, headHeight: () => chain.head.header.number, spawn, onFailure }, (synced) =>
      this.#queue.push({ kind: 'synced', synced }),
    )
    this.#custody = validator && new SignCustody(validator, logger, options.signState ?? {})
    const rejoinPowers = {
      ...{ clock, sync, transport, logger, isLost: () => validator?.isLost === true },
      headHeight: () => chain.head.header.number,
      // A follower signs nothing, so it need not wait for peers.
      peersNeeded: () => {
        const { validators, nodes } = chain.head
        if (validator === undefined) return 0
        // The validator set of an old head says little about the validators that vote now.
        return Math.max(honestPeersNeeded(validators.validators.length), validator.isLost && nodes.length > 1 ? 1 : 0)
      },
    }
    this.#rejoin = new Rejoin(rejoinPowers, () => this.#queue.push({ kind: 'rejoined' }))
    this.#scope.own({ close: mempool.onAdmitted(() => this.#pacing.admitted()) })
  }

  get status(): EngineStatus {
    const { state } = this.#consensus
    const silence = this.#custody?.silence(this.#height)
    if (!this.#begun || state === undefined) return { height: this.#height, round: 0 as Round, step: 'waiting', silence }
    return { height: state.height, round: state.round, step: state.step, silence }
  }

  /** Consensus state of the current height; undefined between heights. */
  get consensus(): ConsensusView | undefined {
    return this.#begun ? this.#consensus : undefined
  }

  /** Running totals, for metrics and tests. */
  get counters() {
    return {
      ...this.#outbox.counters,
      ...this.#values.counters,
      ...this.#timeliness.counters,
      verifiedVotes: this.#inbox.verifiedVotes,
      engineFailures: this.#failures,
    }
  }

  /** Handles a message of the ordered stream. */
  onMessage(from: PeerId, bytes: Uint8Array): void {
    const receivedMs = this.#options.clock.now()
    const found = this.#queue.pushFrom(from, { kind: 'message', from, bytes, receivedMs }, bytes.length)
    if (!found) this.#penalise(from, 'flood', 'event queue is full')
  }

  /** Answers a request whose first byte is `ENGINE_REQUEST`; undefined refuses it. */
  async onRequest(from: PeerId, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const request = decodeRequest(bytes, this.#options.chain.head.parameters.blockGasMax)
    if (request.ok) return this.#values.serve(request.value)
    this.#penalise(from, 'malformed', request.error.message)
    return undefined
  }

  onPeer(peer: PeerId, state: 'up' | 'down'): void {
    if (state === 'up') this.#queue.push({ kind: 'peer', peer })
    else this.#lateReplies.delete(peer)
  }

  /** Stops after the current batch, and waits for all running tasks. */
  async stop(): Promise<void> {
    this.#silence()
    await this.#scope.close()
    await this.#values.idle()
  }

  /** Stops the engine for good, as after an internal error. */
  halt(error: unknown): void {
    this.#halt(error)
  }

  #silence(): void {
    this.#stopping = true
    this.#queue.close()
    this.#consensus.stop()
    this.#pacing.clear()
    this.#values.cancelBuild()
    this.#cancelTick()
    this.#catchUp.close()
    this.#rejoin.close()
  }

  #halt(error: unknown): void {
    if (this.#stopping) return
    this.#silence()
    this.#options.onHalt(error)
  }

  // ---- loop

  async #run(): Promise<void> {
    while (await this.#queue.wait()) {
      const isSpent = this.#handleBatch()
      await this.#settle()
      if (isSpent) await this.#turn()
    }
  }

  /** Handles queued events, up to one batch. Returns true if the batch reached its count or time limit. */
  #handleBatch(): boolean {
    const { clock } = this.#options
    const endMs = clock.monotonic() + ENGINE_LIMITS.batchMsMax
    for (let count = 0; count < ENGINE_LIMITS.batchCountMax; count++) {
      const event = this.#queue.next()
      if (event === undefined) return false
      this.#handle(event)
      if (clock.monotonic() >= endMs) return true
    }
    return true
  }

  /** Yields, so that timers, sockets and other work of the process can run. */
  #turn(): Promise<void> {
    return pause(this.#options.clock, 0)
  }

  /** Sends messages, and commits as long as there is a final block to commit. */
  async #settle(): Promise<void> {
    for (;;) {
      if (this.#hasRejoined) await this.#takeUp()
      await this.#outbox.flush()
      if (this.#stopping) return
      const { decision } = this.#consensus
      if (decision !== undefined) await this.#commitDecided(decision)
      else if (this.#synced !== undefined) await this.#commitSynced(this.#synced)
      else return
    }
  }

  #handle(event: EngineEvent): void {
    if ('height' in event && event.height !== this.#height) return
    switch (event.kind) {
      case 'message':
        return this.#onMessage(event)
      case 'peer':
        return this.#greet(event.peer)
      case 'due':
        return this.#begin()
      case 'elapsed':
        this.#consensus.feed({ kind: 'timeout', ...event.elapsed })
        return
      case 'value':
        for (const input of this.#values.handle(event.event, this.#consensus.state?.round)) this.#consensus.feed(input)
        return
      case 'synced':
        this.#synced = event.synced
        return
      case 'tick':
        return this.#onTick()
      case 'rejoined':
        this.#hasRejoined = true
        return
    }
  }

  // ---- messages

  #onMessage(received: Received): void {
    const { validators, nextValidators, parameters } = this.#options.chain.head
    const sorted = this.#inbox.sort(received, {
      height: this.#height,
      round: (this.#consensus.state?.round ?? 0) as Round,
      validators,
      nextValidators,
      proposalBytesMax: proposalBytesMax(parameters.blockGasMax),
      takes: (kind) => this.#takes(kind),
    })
    if (sorted !== undefined) this.#onSorted(sorted)
  }

  #takes(kind: SignedMessage['kind']): boolean {
    if (!this.#takesPart) return false
    return this.#begun || kind === 'proposal' || kind === 'commitCertificate' || this.#pacing.open
  }

  #onSorted(sorted: Sorted): void {
    const { from, head } = sorted
    if (sorted.kind === 'late') return this.#onLate(from, head)
    const { message, receivedMs } = sorted
    if (message.kind === 'commitCertificate') this.#isProven = true
    this.#begin()
    if (message.kind === 'proposal') {
      const { proposal, block, polka } = message
      const { parameters } = this.#options.chain.head
      if (polka === undefined) this.#timeliness.look(proposal, block.header.timeMs, from, receivedMs, parameters)
      this.#values.proposed(proposal.round, proposal.valueId, block, from, receivedMs)
    }
    const refusal = this.#consensus.feed(inputOf(message))
    if (refusal?.verdict === 'reject') return this.#penalise(from, 'invalid', refusal.code)
    if (refusal === undefined || refusal.code === 'duplicate') this.#inbox.taken(head)
  }

  /** The peer still works on a height that is final here. Votes that were only delayed in transit need no answer. */
  #onLate(from: PeerId, head: MessageHead): void {
    if (head.kind === 'commitCertificate') return
    const nowMs = this.#options.clock.monotonic()
    const last = Math.max(this.#lateReplies.get(from) ?? -Infinity, this.#enteredMs)
    if (nowMs - last < ENGINE_LIMITS.lateReplyMs) return
    this.#lateReplies.set(from, nowMs)
    const { header, certificate } = this.#options.chain.head
    if (messagePosition(head).height === header.number && certificate !== undefined)
      this.#outbox.add({ kind: 'commitCertificate', certificate }, from)
    else this.#sayStatus(from)
  }

  #sayStatus(to?: PeerId): void {
    const { height, round } = this.status
    this.#outbox.add({ kind: 'status', height, round }, to)
  }

  #greet(peer: PeerId): void {
    this.#sayStatus(peer)
    if (this.#begun) this.#consensus.rebroadcast(peer)
  }

  #giveUp(task: string, error: unknown): void {
    if (isHalting(error)) throw error
    this.#failures++
    this.#options.logger.error({ task, error }, 'work for a peer failed because of a bug: the work is dropped')
  }

  #penalise(peer: PeerId, offence: Offence, why: string): void {
    this.#options.logger.debug({ peer, offence, why }, 'message refused')
    this.#options.transport.penalise(peer, offence)
  }

  // ---- heights

  async #commitDecided({ valueId, certificate }: Decision): Promise<void> {
    const block = this.#values.get(valueId)
    if (block === undefined) throw new Error(`no block body for the decided block ${valueId}`)
    await this.#commit(block, certificate)
  }

  async #commitSynced({ block, certificate, from }: SyncedBlock): Promise<void> {
    if (block.header.number === this.#height) {
      this.#options.logger.debug({ height: this.#height, from }, 'block synced')
      this.#isProven = true
      await this.#commit(block, certificate)
    }
    this.#synced = undefined
    this.#catchUp.resume()
  }

  /** Consensus for the height ends before the block is executed and stored: messages that arrive in the meantime reach no driver. */
  async #commit(block: CandidateBlock, certificate: CommitCertificate): Promise<void> {
    this.#begun = false
    this.#consensus.end()
    await this.#values.commit(block, certificate)
    await this.#custody?.committed(certificate, !this.#takesPart, this.#isProven)
    const { number: height, timeMs } = block.header
    const { round } = certificate
    const finalityMs = this.#options.clock.now() - timeMs
    this.#options.logger.info(
      { height, round, hash: block.hash, transactions: block.transactions.length, finalityMs },
      'block final',
    )
    await this.#enterHeight()
  }

  /** Prepares the next height, and processes messages that arrived early for it. */
  async #enterHeight(): Promise<void> {
    this.#left = undefined
    this.#isDue = false
    this.#isProven = false
    this.#height = Height(this.#options.chain.head.header.number + 1)
    await this.#log.start(this.#height)
    if (this.#stopping) return
    this.#values.startHeight()
    this.#inbox.startHeight()
    this.#await()
    this.#sayStatus()
    this.#readKept()
  }

  #await(): void {
    const { header, parameters } = this.#options.chain.head
    this.#enteredMs = this.#options.clock.monotonic()
    this.#pacing.wait(header.timeMs, parameters)
    this.#scheduleTick()
  }

  /** Starts round 0, unless the height has begun. */
  #begin(): void {
    if (this.#begun) return
    this.#isDue = !this.#takesPart
    if (!this.#takesPart) return
    this.#begun = true
    this.#pacing.clear()
    this.#custody?.begins(this.#height)
    this.#consensus.begin(this.#height)
    this.#readKept()
  }

  /** Processes the early messages that can be used now, and keeps the others. */
  #readKept(): void {
    for (const early of this.#inbox.kept(this.#height)) {
      if (this.#takes(early.message.kind)) this.#onSorted(early)
      else this.#inbox.keep(early)
    }
  }

  // ---- rebroadcast in a slow round

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
    if (this.#begun) this.#consensus.rebroadcast()
  }

  // ---- restart

  async #open(content: WalContent | undefined): Promise<void> {
    if (content !== undefined && content.height > this.#height) {
      // A height's log starts only after the block before it is on disk. So the database has gone back in time.
      this.#options.logger.error(
        { head: this.#height - 1, logged: content.height },
        'the database lost final blocks: this node fetches them again from its peers, and signs nothing up to the last height that it signed. Check the disk',
      )
    }
    this.#custody?.findIn(this.#options.blocks, Height(this.#height - 1))
    this.#await()
    if (content?.height === this.#height) this.#left = content
    else await this.#log.start(this.#height)
  }

  /** Starts taking part: continues from the end of the log, or begins the height that is due. */
  async #takeUp(): Promise<void> {
    this.#hasRejoined = false
    this.#takesPart = true
    await this.#custody?.rejoined(this.#options.chain.head.header.number)
    if (this.#left !== undefined) await this.#replay(this.#left)
    this.#left = undefined
    if (this.#isDue) this.#begin()
    this.#readKept()
    this.#queue.push({ kind: 'tick' })
  }

  async #replay(content: WalContent): Promise<void> {
    const inputs = this.#log.resume(content)
    if (inputs.length === 0) return
    for (const entry of content.entries) if (entry.kind === 'body') await this.#values.restoreBody(entry.block)
    this.#begun = true
    this.#pacing.clear()
    this.#consensus.replay(this.#height, inputs)
    this.#options.logger.info({ ...this.status, inputs: inputs.length }, 'replayed the write-ahead log')
  }
}

const inputOf = (message: SignedMessage): LoggedInput =>
  message.kind === 'proposal' ? { kind: 'proposal', proposal: message.proposal, polka: message.polka } : message
