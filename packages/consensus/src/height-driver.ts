import {
  type Address,
  type CommitCertificate,
  commitVotes,
  type Hash,
  type Height,
  type PolkaCertificate,
  type Proposal,
  polkaVotes,
  type Round,
  type RoundCertificate,
  roundVotes,
  type ValidatorSet,
  type Vote,
  type VoteKind,
} from '@quoin/protocol'
import { CertificateKeeper, commitCertificate, polkaCertificate, roundCertificate } from './certificate-keeper.ts'
import type { Effect, Outcome, Refusal } from './effect.ts'
import type { Input } from './input.ts'
import { CONSENSUS_LIMITS } from './limits.ts'
import { nextRule, polkaValues, type View } from './mux.ts'
import type { Output } from './output.ts'
import { ProposalKeeper } from './proposal-keeper.ts'
import { initialState, type RoundValue, type State } from './state.ts'
import type { TimeoutKind } from './timeouts.ts'
import { apply } from './transition.ts'
import { VoteKeeper, type VoteRefusal } from './vote-keeper.ts'

export interface HeightParameters {
  readonly height: Height
  readonly validators: ValidatorSet
  /** Own address. If undefined or not in the set, the node follows without voting. */
  readonly self: Address | undefined
  readonly selectProposer: (validators: ValidatorSet, height: Height, round: Round) => Address
}

/** The messages to send again while a round makes no progress; see `Driver.rebroadcast`. */
export interface Rebroadcast {
  readonly proposals: readonly { readonly proposal: Proposal; readonly polka: PolkaCertificate | undefined }[]
  readonly votes: readonly Vote[]
  readonly polkaCertificate: PolkaCertificate | undefined
  readonly roundCertificate: RoundCertificate | undefined
}

/**
 * Consensus of one height. Stores messages, finds the rule of the paper that applies (`mux.ts`), applies it to the state machine (`transition.ts`) and
 * converts the outputs to effects, until no rule applies.
 */
export class HeightDriver {
  readonly #parameters: HeightParameters
  readonly #votes: VoteKeeper
  readonly #proposals = new ProposalKeeper()
  readonly #certificates = new CertificateKeeper()
  readonly #committed: RoundValue[] = []
  readonly #scheduled = new Set<TimeoutKind>()
  /** Effects already requested once, as `reason:value`. */
  readonly #told = new Set<string>()
  #state: State
  #proposer: Address
  #roundCertificate: RoundCertificate | undefined
  /** The round for which the effect getValue has no answer yet. */
  #valueWanted: Round | undefined
  #effects: Effect[] = []

  constructor(parameters: HeightParameters) {
    this.#parameters = parameters
    this.#votes = new VoteKeeper(parameters.validators)
    this.#state = initialState(parameters.height)
    this.#proposer = this.#proposerOf(0 as Round)
  }

  get state(): State {
    return this.#state
  }

  /** Proposer of the current round. */
  get proposer(): Address {
    return this.#proposer
  }

  get validators(): ValidatorSet {
    return this.#parameters.validators
  }

  votes(round: Round, kind: VoteKind): readonly Vote[] {
    return this.#votes.votes(round, kind)
  }

  start(): Outcome {
    this.#enter(0 as Round)
    return this.#settle(undefined)
  }

  valueBuilt(round: Round, valueId: Hash): Outcome {
    if (this.#valueWanted !== round || this.#state.round !== round) return this.#settle(ignore('late'))
    this.#valueWanted = undefined
    this.#proposals.judge(valueId, round, true, true)
    this.#apply(round, { kind: 'proposeValue', valueId })
    return this.#settle(undefined)
  }

  proposal(proposal: Proposal, polka: PolkaCertificate | undefined): Outcome {
    const { round, proposer, polRound, valueId } = proposal
    if (this.validators.get(proposer) === undefined) return this.#settle(reject('unknown-validator'))
    if (this.#isFarAhead(round)) return this.#settle(ignore('far-round'))
    if (this.#proposerOf(round) !== proposer) return this.#settle(reject('not-proposer'))
    if (polRound !== undefined && polRound >= round) return this.#settle(reject('polka-mismatch'))
    if (polka !== undefined) {
      if (polka.height !== proposal.height || polka.round !== polRound || polka.valueId !== valueId) {
        return this.#settle(reject('polka-mismatch'))
      }
      this.#addPolka(polka)
    }
    const { refusal, evidence } = this.#proposals.add(proposal, this.#state.round)
    if (evidence !== undefined) this.#effects.push({ kind: 'evidence', evidence })
    if (refusal !== undefined) return this.#settle(ignore(refusal))
    if (round === this.#state.round) this.#askForVerdict(proposal)
    return this.#settle(undefined)
  }

  valueValidated(round: Round, valueId: Hash, valid: boolean, fresh: boolean): Outcome {
    return this.#settle(this.#proposals.judge(valueId, round, valid, fresh) ? undefined : ignore('duplicate'))
  }

  vote(vote: Vote): Outcome {
    if (this.#isFarAhead(vote.round)) return this.#settle(ignore('far-round'))
    const refusal = this.#addVote(vote)
    return this.#settle(refusal === undefined ? undefined : refusal === 'unknown-validator' ? reject(refusal) : ignore(refusal))
  }

  polkaCertificate(certificate: PolkaCertificate): Outcome {
    return this.#settle(this.#addPolka(certificate) ? undefined : ignore('duplicate'))
  }

  roundCertificate(certificate: RoundCertificate): Outcome {
    const counted = roundVotes(certificate).map((vote) => this.#addVote(vote) === undefined)
    return this.#settle(counted.includes(true) ? undefined : ignore('duplicate'))
  }

  commitCertificate(certificate: CommitCertificate): Outcome {
    if (!this.#certificates.addCommit(certificate)) return this.#settle(ignore('duplicate'))
    for (const vote of commitVotes(certificate)) this.#addVote(vote)
    this.#addCommitted({ round: certificate.round, valueId: certificate.blockHash })
    return this.#settle(undefined)
  }

  timeout(kind: TimeoutKind, round: Round): Outcome {
    const before = this.#state
    this.#apply(round, { kind: TIMEOUT_INPUT[kind] })
    return this.#settle(this.#state === before ? ignore('late') : undefined)
  }

  rebroadcast(): Rebroadcast {
    const { round, step, valid } = this.#state
    const { self } = this.#parameters
    if (step === 'commit') return { proposals: [], votes: [], polkaCertificate: undefined, roundCertificate: undefined }
    const proposals = this.#proposals
      .proposals(round)
      .map((proposal) => ({ proposal, polka: this.#polkaOf(proposal.polRound, proposal.valueId) }))
    const votes = KINDS.map((kind) => self && this.#votes.vote(round, kind, self)).filter((vote) => vote !== undefined)
    return {
      proposals,
      votes: votes as readonly Vote[],
      polkaCertificate: this.#polkaOf(valid?.round, valid?.valueId),
      roundCertificate: this.#roundCertificate,
    }
  }

  /** Takes every transition that is possible now, then returns the effects collected on the way. */
  #settle(refusal: Refusal | undefined): Outcome {
    for (let rule = nextRule(this.#view()); rule !== undefined; rule = nextRule(this.#view())) this.#apply(rule.round, rule.input)
    this.#tellNeeds()
    const effects = this.#effects
    this.#effects = []
    return { effects, refusal }
  }

  #view(): View {
    return {
      state: this.#state,
      votes: this.#votes,
      proposals: this.#proposals,
      certificates: this.#certificates,
      committed: this.#committed,
      scheduled: this.#scheduled,
    }
  }

  #apply(round: Round, input: Input): void {
    const isProposer = this.#parameters.self !== undefined && this.#proposer === this.#parameters.self
    const { state, effects } = apply(this.#state, { round, isProposer }, input)
    this.#state = state
    for (const output of effects) this.#lift(output, input)
  }

  #lift(output: Output, cause: Input): void {
    const { height } = this.#state
    switch (output.kind) {
      case 'getValue':
        this.#valueWanted = output.round
        this.#effects.push({ kind: 'getValue', height, round: output.round })
        return
      case 'propose':
        this.#propose(output)
        return
      case 'vote':
        this.#castVote(output.vote, output.round, output.valueId)
        return
      case 'scheduleTimeout':
        this.#schedule(output.timeout, output.round)
        return
      case 'enterRound':
        this.#keepRoundCertificate(output.round, cause.kind === 'skipRound' ? 'skip' : 'precommit-any')
        this.#enter(output.round)
        return
      case 'decide':
        this.#decide(output.round, output.valueId)
    }
  }

  #propose({ round, valueId, polRound }: Extract<Output, { kind: 'propose' }>): void {
    const { height } = this.#state
    this.#effects.push({
      kind: 'propose',
      proposal: { height, round, valueId, polRound, proposer: this.#proposer },
      polka: this.#polkaOf(polRound, valueId),
    })
    // Not in the paper. If the sign guard refuses our own re-proposal, no other timer would let us vote in this round.
    this.#schedule('propose', round)
  }

  #castVote(kind: VoteKind, round: Round, valueId: Hash | undefined): void {
    const { self } = this.#parameters
    if (self === undefined || this.validators.get(self) === undefined) return
    this.#effects.push({ kind: 'vote', vote: { kind, height: this.#state.height, round, valueId, validator: self } })
    if (kind === 'prevote' || valueId === undefined || round === 0) return
    const certificate = this.#polkaOf(round, valueId)
    if (certificate !== undefined) this.#effects.push({ kind: 'publishPolkaCertificate', certificate })
  }

  #schedule(timeout: TimeoutKind, round: Round): void {
    if (this.#scheduled.has(timeout)) return
    this.#scheduled.add(timeout)
    this.#effects.push({ kind: 'scheduleTimeout', timeout, height: this.#state.height, round })
  }

  #keepRoundCertificate(round: Round, reason: RoundCertificate['reason']): void {
    const votes =
      reason === 'skip'
        ? [...this.#votes.votes(round, 'prevote'), ...this.#votes.votes(round, 'precommit')]
        : this.#votes.votes((round - 1) as Round, 'precommit')
    this.#roundCertificate = roundCertificate(this.#state.height, round, reason, votes)
  }

  #enter(round: Round): void {
    const { height, locked, valid } = this.#state
    this.#scheduled.clear()
    this.#valueWanted = undefined
    this.#proposer = this.#proposerOf(round)
    this.#effects.push({ kind: 'newRound', height, round, proposer: this.#proposer })
    this.#keepQuorums()
    this.#votes.prune(round)
    this.#proposals.prune(round, [locked?.valueId, valid?.valueId])
    this.#certificates.prune(round, valid?.round)
    this.#apply(round, { kind: 'newRound' })
    for (const proposal of this.#proposals.proposals(round)) this.#askForVerdict(proposal)
  }

  /** Keeps the polka of validValue, and commits of values without a verdict, as certificates before their votes are pruned. */
  #keepQuorums(): void {
    const { valid } = this.#state
    const polka = this.#polkaOf(valid?.round, valid?.valueId)
    if (polka !== undefined) this.#certificates.addPolka(polka)
    for (const { round, valueId } of this.#committed) this.#certificates.addCommit(this.#commitOf(round, valueId))
  }

  #decide(round: Round, valueId: Hash): void {
    this.#effects.push({
      kind: 'decide',
      height: this.#state.height,
      round,
      valueId,
      certificate: this.#commitOf(round, valueId),
    })
  }

  /** The commit certificate of a value that 2f+1 precommitted in a round: the received one, or one made of the votes. */
  #commitOf(round: Round, valueId: Hash): CommitCertificate {
    const received = this.#certificates.commit(round)
    if (received?.blockHash === valueId) return received
    return commitCertificate(this.#state.height, round, valueId, this.#votes.votes(round, 'precommit'))
  }

  /** Whether a message of a single validator is for a round too far ahead to be kept. */
  #isFarAhead(round: Round): boolean {
    return round > this.#state.round + CONSENSUS_LIMITS.roundsAheadMax
  }

  #proposerOf(round: Round): Address {
    const { selectProposer, validators, height } = this.#parameters
    return selectProposer(validators, height, round)
  }

  /** The polka of a round if it is for this value: the received one, or one made of the votes. */
  #polkaOf(round: Round | undefined, valueId: Hash | undefined): PolkaCertificate | undefined {
    if (round === undefined || valueId === undefined) return undefined
    const received = this.#certificates.polka(round)
    if (received?.valueId === valueId) return received
    if (!this.#votes.hasQuorum(round, 'prevote', valueId)) return undefined
    return polkaCertificate(this.#state.height, round, valueId, this.#votes.votes(round, 'prevote'))
  }

  #addVote(vote: Vote): VoteRefusal | undefined {
    const { threshold, refusal, evidence } = this.#votes.add(vote, this.#state.round)
    if (evidence !== undefined) this.#effects.push({ kind: 'evidence', evidence })
    if (threshold?.kind === 'precommitValue') this.#addCommitted(threshold)
    return refusal
  }

  #addPolka(certificate: PolkaCertificate): boolean {
    for (const vote of polkaVotes(certificate)) this.#addVote(vote)
    return this.#certificates.addPolka(certificate)
  }

  #addCommitted({ round, valueId }: RoundValue): void {
    if (!this.#committed.some((other) => other.round === round && other.valueId === valueId))
      this.#committed.push({ round, valueId })
  }

  #askForVerdict({ height, round, valueId, polRound }: Proposal): void {
    const valid = this.#proposals.isValid(valueId)
    const known = polRound === undefined && valid === true ? this.#proposals.isFresh(valueId, round) : valid
    if (known === undefined) this.#effects.push({ kind: 'validateValue', height, round, valueId, polRound })
  }

  /** Requests verdicts on values for which 2f+1 voted, and reports committed values that this node found invalid. */
  #tellNeeds(): void {
    const { round, step } = this.#state
    if (step === 'commit') return
    for (const valueId of polkaValues(this.#view(), round)) this.#tellNeed(round, valueId, 'prevote')
    for (const { round: committed, valueId } of this.#committed) {
      this.#tellNeed(committed, valueId, 'precommit')
      if (this.#proposals.isValid(valueId) !== false || !this.#tellOnce(`invalid:${valueId}`)) continue
      this.#effects.push({ kind: 'invalidDecision', certificate: this.#commitOf(committed, valueId) })
    }
  }

  #tellNeed(round: Round, valueId: Hash, reason: 'prevote' | 'precommit'): void {
    if (this.#proposals.isValid(valueId) !== undefined || !this.#tellOnce(`${reason}:${valueId}`)) return
    this.#effects.push({ kind: 'needValue', height: this.#state.height, round, valueId, reason })
  }

  #tellOnce(what: string): boolean {
    if (this.#told.has(what)) return false
    this.#told.add(what)
    return true
  }
}

const KINDS = ['prevote', 'precommit'] as const
const TIMEOUT_INPUT = { propose: 'timeoutPropose', prevote: 'timeoutPrevote', precommit: 'timeoutPrecommit' } as const

const ignore = (code: Extract<Refusal, { verdict: 'ignore' }>['code']): Refusal => ({ verdict: 'ignore', code })
const reject = (code: Extract<Refusal, { verdict: 'reject' }>['code']): Refusal => ({ verdict: 'reject', code })
