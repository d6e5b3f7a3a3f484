import { Driver, type Effect, type Refusal, type State, timeoutMs } from '@quoin/consensus'
import {
  type CommitCertificate,
  type Evidence,
  type Height,
  type PolkaCertificate,
  Round,
  type Vote,
  type VoteKind,
} from '@quoin/protocol'
import type { Chain } from '../chain/types.ts'
import type { Logger } from '../logger.ts'
import type { Clock, PeerId } from '../powers.ts'
import { EvidencePool } from './evidence-pool.ts'
import { HaltError } from './halt.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { Outbox } from './outbox.ts'
import type { PrivateValidator } from './private-validator.ts'
import { replay } from './replay.ts'
import { type Elapsed, TimeoutTicker } from './ticker.ts'
import { timeoutsOf } from './timeouts.ts'
import type { Values } from './values.ts'
import type { LoggedInput, Wal } from './wal.ts'

export interface ConsensusPowers {
  readonly clock: Pick<Clock, 'after' | 'now'>
  readonly chain: Pick<Chain, 'head'>
  readonly wal: Pick<Wal, 'append'>
  /** Undefined follows without voting. */
  readonly validator: PrivateValidator | undefined
  readonly outbox: Pick<Outbox, 'add'>
  readonly values: Values
  readonly logger: Logger
  /** To be fed back as the input `timeout`. */
  readonly onElapsed: (elapsed: Elapsed) => void
  /** This node signed a vote. */
  readonly onVote: (vote: Vote) => void
}

export type Decision = Pick<Extract<Effect, { kind: 'decide' }>, 'valueId' | 'certificate'>

/** The dialogue with the driver: logs what it is told, carries out what it asks, and tells it what comes of that. Synchronous. */
export class Consensus {
  readonly #powers: ConsensusPowers
  /** Knows one height, and none between two. */
  #driver = new Driver()
  /** What effects gave rise to, and the driver is yet to be told. */
  readonly #inputs: LoggedInput[] = []
  /** Rounds of which a polka certificate was logged. */
  readonly #polkaRounds = new Set<Round>()
  readonly #ticker: TimeoutTicker
  readonly #evidence: EvidencePool
  #decision: Decision | undefined

  constructor(powers: ConsensusPowers) {
    const { clock, logger, onElapsed } = powers
    this.#powers = powers
    this.#ticker = new TimeoutTicker(clock, onElapsed)
    this.#evidence = new EvidencePool((evidence, offender) => {
      if (offender === powers.validator?.address)
        this.#warnOfTwin(`conflicting ${evidence.kind} of height ${evidence.first.height}`)
      else logger.warn({ offender, height: evidence.first.height, kind: evidence.kind }, 'a validator contradicted itself')
    })
  }

  /** Undefined before the first height. */
  get state(): State | undefined {
    return this.#driver.state
  }

  /** Votes of a round that count, in the order in which they came. */
  votes(round: Round, kind: VoteKind): readonly Vote[] {
    return this.#driver.votes(round, kind)
  }

  /** The final block of this height, from when it is known until `end`. */
  get decision(): Decision | undefined {
    return this.#decision
  }

  get evidence(): readonly Evidence[] {
    return this.#evidence.list()
  }

  /** Starts round 0 of the height after the chain's head. */
  begin(height: Height): void {
    for (const effect of this.#driver.step(this.#startInput(height)).effects) this.#act(effect)
    this.#drain()
  }

  /** Tells the driver one thing and everything that follows from it. Returns why the driver did not take it. */
  feed(input: LoggedInput): Refusal | undefined {
    const refusal = this.#step(input)
    this.#drain()
    return refusal
  }

  /** Brings the driver to where the log of this height ends, and does what was left undone. */
  replay(height: Height, inputs: readonly LoggedInput[]): void {
    const { validator, values } = this.#powers
    const self = validator?.address
    for (const input of inputs) {
      values.restoreInput(input)
      const restored =
        input.kind === 'vote' && input.vote.validator === self
          ? validator?.restoreVote(input.vote)
          : input.kind === 'proposal' && input.proposal.proposer === self
            ? validator?.restoreProposal(input.proposal)
            : undefined
      if (restored?.ok === false) this.#warnOfTwin(restored.error.message)
    }
    for (const effect of replay(this.#driver, this.#startInput(height), inputs)) this.#act(effect)
    this.#drain()
  }

  /** The height is over: its driver goes, so that nothing of it that comes later finds one. */
  end(): void {
    this.#driver = new Driver()
    this.#decision = undefined
    this.#inputs.length = 0
    this.#polkaRounds.clear()
    this.#ticker.clear()
    this.#powers.values.cancelBuild()
  }

  /** Drops evidence that the chain's new head has made too old. */
  pruneEvidence(): void {
    this.#evidence.prune(this.#powers.chain.head.header.number)
  }

  /** The node stops: no timer fires any more. */
  stop(): void {
    this.#ticker.clear()
  }

  /** Everything that lets a peer which missed something come to where we are; votes of others too, for not all may reach all. */
  rebroadcast(to?: PeerId): void {
    const { outbox, values } = this.#powers
    const { proposals, polkaCertificate, roundCertificate } = this.#driver.rebroadcast()
    if (roundCertificate !== undefined) outbox.add({ kind: 'roundCertificate', certificate: roundCertificate }, to)
    for (const { proposal, polka } of proposals) {
      const block = values.compact(proposal.valueId)
      if (block !== undefined) outbox.add({ kind: 'proposal', proposal, block, polka }, to)
    }
    if (polkaCertificate !== undefined) outbox.add({ kind: 'polkaCertificate', certificate: polkaCertificate }, to)
    const round = this.#driver.state?.round
    if (round === undefined) return
    // A peer that was just connected also learns what was said in the rounds before: it may have lost its own votes.
    const first = to === undefined ? round : Math.max(0, round - ENGINE_LIMITS.greetingRoundsMax)
    for (let r = first; r <= round; r++) {
      for (const kind of ['prevote', 'precommit'] as const)
        for (const vote of this.#driver.votes(Round(r), kind)) outbox.add({ kind: 'vote', vote }, to)
    }
  }

  #startInput(height: Height) {
    const { chain, validator } = this.#powers
    return { kind: 'startHeight', height, validators: chain.head.validators, self: validator?.address } as const
  }

  /** Feeds back our own votes and proposals, and verdicts known at once. */
  #drain(): void {
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#step(next)
  }

  #step(input: LoggedInput): Refusal | undefined {
    const polka = input.kind === 'polkaCertificate' ? input.certificate : input.kind === 'proposal' ? input.polka : undefined
    const votesBefore = this.#countPrevotes(polka)
    const { effects, refusal } = this.#driver.step(input)
    // A polka may teach the driver votes even when what brought it is refused. Anything else that is refused changes nothing, and is not
    // logged: peers could fill the disk with it.
    const learned = polka !== undefined && (this.#countPrevotes(polka) !== votesBefore || !this.#polkaRounds.has(polka.round))
    if (polka !== undefined) this.#polkaRounds.add(polka.round)
    if (refusal === undefined || effects.length > 0 || learned) this.#powers.wal.append(input)
    for (const effect of effects) this.#act(effect)
    return refusal
  }

  #countPrevotes(polka: PolkaCertificate | undefined): number {
    return polka === undefined ? 0 : this.#driver.votes(polka.round, 'prevote').length
  }

  #act(effect: Effect): void {
    switch (effect.kind) {
      case 'newRound':
        return this.#onNewRound(effect.height, effect.round)
      case 'getValue':
        return this.#powers.values.build(effect.round)
      case 'propose':
        return this.#propose(effect)
      case 'vote':
        return this.#vote(effect)
      case 'scheduleTimeout': {
        const { timeout, height, round } = effect
        const ms = timeoutMs(timeoutsOf(this.#powers.chain.head.parameters), timeout, round)
        return this.#ticker.schedule({ timeout, height, round }, ms)
      }
      case 'validateValue':
      case 'needValue': {
        const answer = this.#powers.values.ask(effect)
        if (answer !== undefined) this.#inputs.push(answer)
        return
      }
      case 'publishPolkaCertificate':
        return this.#powers.outbox.add({ kind: 'polkaCertificate', certificate: effect.certificate })
      case 'decide':
        this.#decision = effect
        return
      case 'invalidDecision':
        return this.#onInvalidDecision(effect.certificate)
      case 'evidence':
        return this.#evidence.add(effect.evidence)
    }
  }

  #onNewRound(height: Height, round: Round): void {
    this.#ticker.clear()
    const { values, logger, clock, chain } = this.#powers
    values.cancelBuild()
    if (round > 0) logger.info({ height, round }, 'new round')
    const { header, parameters } = chain.head
    const aheadMs = header.timeMs - clock.now()
    if (aheadMs > parameters.clockPrecisionMs)
      logger.warn(
        { height, round, aheadMs },
        "the time of the last block is ahead of this machine's clock: no proposal until then",
      )
  }

  #propose({ proposal: unsigned, polka }: Extract<Effect, { kind: 'propose' }>): void {
    const { validator, values, outbox } = this.#powers
    const block = values.compact(unsigned.valueId)
    if (block === undefined) throw new Error(`no body for our proposal ${unsigned.valueId}`)
    const signed = validator?.signProposal(unsigned)
    if (signed === undefined || !signed.ok) return this.#notSigned(signed?.error.message)
    this.#inputs.push({ kind: 'proposal', proposal: signed.value, polka })
    outbox.add({ kind: 'proposal', proposal: signed.value, block, polka })
  }

  #vote({ vote: unsigned }: Extract<Effect, { kind: 'vote' }>): void {
    const { validator, outbox, onVote } = this.#powers
    const signed = validator?.signVote(unsigned)
    if (signed === undefined || !signed.ok) return this.#notSigned(signed?.error.message)
    onVote(signed.value)
    this.#inputs.push({ kind: 'vote', vote: signed.value })
    outbox.add({ kind: 'vote', vote: signed.value })
  }

  #warnOfTwin(why: string): void {
    this.#powers.logger.error(
      { why },
      'another process signs with the key of this validator: stop one of them, or both will be punished',
    )
  }

  #notSigned(why: string | undefined): void {
    this.#powers.logger.warn({ why }, 'the sign state refused a signature: this validator keeps silent')
  }

  /** The verdict may come of a passing fault of this node: committing executes the block again, and stops the node if it still fails. */
  #onInvalidDecision(certificate: CommitCertificate): void {
    const { values, chain } = this.#powers
    const valueId = certificate.blockHash
    if (values.get(valueId) !== undefined) {
      this.#decision = { valueId, certificate }
      return
    }
    const dump = { certificate, block: undefined, head: chain.head.hash, transaction: undefined }
    throw new HaltError('more than two thirds of the power decided a block with a transaction that is none', dump)
  }
}
