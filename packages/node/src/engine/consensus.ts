import { Driver, type Effect, type Refusal, type State, timeoutMs } from '@quoin/consensus'
import { type CommitCertificate, type Height, type PolkaCertificate, Round, type Vote, type VoteKind } from '@quoin/protocol'
import type { Chain } from '../chain/types.ts'
import type { Logger } from '../logger.ts'
import type { Clock, PeerId } from '../powers.ts'
import type { EvidenceSink } from './evidence-sink.ts'
import { halts } from './halt.ts'
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
  /** If undefined, the node follows the chain and does not vote. */
  readonly validator: PrivateValidator | undefined
  readonly outbox: Pick<Outbox, 'add'>
  readonly values: Values
  readonly logger: Logger
  readonly evidence: Pick<EvidenceSink, 'found'>
  /** The receiver must feed this back as the input `timeout`. */
  readonly onElapsed: (elapsed: Elapsed) => void
  /** Called with each vote that this node signed. */
  readonly onVote: (vote: Vote) => void
}

/** The decided value of a height, with the certificate that proves it. */
export type Decision = Pick<Extract<Effect, { kind: 'decide' }>, 'valueId' | 'certificate'>

/** Connects the pure driver to the node: logs the driver's inputs, executes its effects, and feeds back their results. Synchronous. */
export class Consensus {
  readonly #powers: ConsensusPowers
  /** Runs a single height. Replaced between heights. */
  #driver = new Driver()
  /** Inputs that effects produced and that the driver has not received yet. */
  readonly #inputs: LoggedInput[] = []
  /** Rounds for which a polka certificate is in the log. */
  readonly #polkaRounds = new Set<Round>()
  readonly #ticker: TimeoutTicker
  #decision: Decision | undefined

  constructor(powers: ConsensusPowers) {
    const { clock, onElapsed } = powers
    this.#powers = powers
    this.#ticker = new TimeoutTicker(clock, onElapsed)
  }

  /** Undefined before the first height. */
  get state(): State | undefined {
    return this.#driver.state
  }

  /** Valid votes of a round, in order of arrival. */
  votes(round: Round, kind: VoteKind): readonly Vote[] {
    return this.#driver.votes(round, kind)
  }

  /** The final block of this height, from the moment it is known until `end`. */
  get decision(): Decision | undefined {
    return this.#decision
  }

  /** Starts round 0 of the height after the chain's head. */
  begin(height: Height): void {
    for (const effect of this.#driver.step(this.#startInput(height)).effects) this.#act(effect)
    this.#drain()
  }

  /** Feeds the driver one input and all inputs that follow from it. Returns the reason if the driver refused the input. */
  feed(input: LoggedInput): Refusal | undefined {
    const refusal = this.#step(input)
    this.#drain()
    return refusal
  }

  /** Replays the log of this height into the driver, then executes the effects that were still open. */
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

  /** Ends the height: replaces the driver, so that late inputs for the old height have no effect. */
  end(): void {
    this.#driver = new Driver()
    this.#decision = undefined
    this.#inputs.length = 0
    this.#polkaRounds.clear()
    this.#ticker.clear()
    this.#powers.values.cancelBuild()
  }

  /** Stops all timers, when the node stops. */
  stop(): void {
    this.#ticker.clear()
  }

  /**
   * Sends everything that a peer needs to reach this node's state, to all peers or to one. This includes votes of other validators, because
   * not every validator may reach every peer.
   */
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
    // A newly connected peer also gets the votes of earlier rounds: it may have lost its own votes.
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

  /** Feeds back this node's own votes and proposals, and verdicts that are already known. */
  #drain(): void {
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#step(next)
  }

  #step(input: LoggedInput): Refusal | undefined {
    const polka = input.kind === 'polkaCertificate' ? input.certificate : input.kind === 'proposal' ? input.polka : undefined
    const votesBefore = this.#countPrevotes(polka)
    const { effects, refusal } = this.#driver.step(input)
    // A polka can teach the driver new votes even if the message that carried it is refused. Other refused inputs change nothing and are
    // not logged; otherwise peers could fill the disk with them.
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
        return this.#powers.evidence.found(effect.evidence)
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
        "the timestamp of the last block is ahead of this machine's clock: this node does not propose until its clock reaches that time. Check the clock",
      )
  }

  #propose({ proposal: unsigned, polka }: Extract<Effect, { kind: 'propose' }>): void {
    const { validator, values, outbox } = this.#powers
    const block = values.compact(unsigned.valueId)
    if (block === undefined) throw new Error(`no block body for our own proposal ${unsigned.valueId}`)
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
      "another process signs with this validator's key: stop one of the two, or the validator will be punished for equivocation",
    )
  }

  #notSigned(why: string | undefined): void {
    this.#powers.logger.warn({ why }, 'the sign state refused a signature: this validator does not send this message')
  }

  /**
   * The block may be invalid only because of a temporary fault of this node. Committing executes it again, and stops the node if it still
   * fails.
   */
  #onInvalidDecision(certificate: CommitCertificate): void {
    const { values, chain } = this.#powers
    const valueId = certificate.blockHash
    if (values.get(valueId) !== undefined) {
      this.#decision = { valueId, certificate }
      return
    }
    throw halts.undecodable({ certificate, head: chain.head.hash })
  }
}
