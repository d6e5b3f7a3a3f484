import {
  type Address,
  type Evidence,
  type Hash,
  type Round,
  type ValidatorSet,
  type Vote,
  type VoteKind,
  voteEvidence,
} from '@quoin/protocol'
import { CONSENSUS_LIMITS } from './limits.ts'
import { addPower, isHonest, isQuorum } from './quorum.ts'
import { Tally } from './tally.ts'

/** A threshold that the votes of a round reached. Lines are those of arXiv:1807.04938, Algorithm 1. */
export type Threshold =
  /** L34: 2f+1 prevotes, for anything. */
  | { readonly kind: 'polkaAny'; readonly round: Round }
  /** L44: 2f+1 prevotes for nil. */
  | { readonly kind: 'polkaNil'; readonly round: Round }
  /** L28, L36: 2f+1 prevotes for a value. */
  | { readonly kind: 'polkaValue'; readonly round: Round; readonly valueId: Hash }
  /** L47: 2f+1 precommits, for anything. */
  | { readonly kind: 'precommitAny'; readonly round: Round }
  /** L49: 2f+1 precommits for a value. */
  | { readonly kind: 'precommitValue'; readonly round: Round; readonly valueId: Hash }
  /** L55: f+1 voted in a round after that of the caller. */
  | { readonly kind: 'skip'; readonly round: Round }

export type VoteRefusal = 'unknown-validator' | 'duplicate' | 'equivocation' | 'old-round' | 'far-round'

export interface VoteAdded {
  /** The threshold that this vote reached, if no earlier vote reached it. */
  readonly threshold: Threshold | undefined
  /** Why the vote does not count. */
  readonly refusal: VoteRefusal | undefined
  /** The first proof of this validator's equivocation in this height. */
  readonly evidence: Evidence | undefined
}

interface RoundVotes {
  readonly prevote: Tally
  readonly precommit: Tally
  /** Power of the validators with a vote of either kind. A validator with a prevote and a precommit counts once (L55). */
  voters: number
  readonly reached: Set<string>
}

/** The votes of one height: one vote for each validator, kind and round, tallies by power, and evidence of equivocation. */
export class VoteKeeper {
  readonly #validators: ValidatorSet
  readonly #rounds = new Map<Round, RoundVotes>()
  readonly #equivocators = new Set<Address>()

  constructor(validators: ValidatorSet) {
    this.#validators = validators
  }

  /**
   * Counts a vote whose signature is verified. Votes too far from the current round are refused (`CONSENSUS_LIMITS`): those far behind, and those
   * below a validator's newest rounds ahead.
   *
   * @param current the round of the caller.
   */
  add(vote: Vote, current: Round): VoteAdded {
    const validator = this.#validators.get(vote.validator)
    if (validator === undefined) return refused('unknown-validator')
    if (vote.round < current - CONSENSUS_LIMITS.pastRoundsMax) return refused('old-round')

    const first = this.#rounds.get(vote.round)?.[vote.kind].get(vote.validator)
    if (first !== undefined) return first.valueId === vote.valueId ? refused('duplicate') : this.#equivocation(first, vote)
    if (!this.#makeRoom(vote, current)) return refused('far-round')

    const round = this.#round(vote.round)
    const other = vote.kind === 'prevote' ? round.precommit : round.prevote
    if (other.get(vote.validator) === undefined) round.voters = addPower(round.voters, validator.power)
    round[vote.kind].add(vote, validator.power)
    return { threshold: this.#firstReached(round, vote, current), refusal: undefined, evidence: undefined }
  }

  /** Whether 2f+1 voted in a round for a value, or for nil if `valueId` is undefined. */
  hasQuorum(round: Round, kind: VoteKind, valueId: Hash | undefined): boolean {
    const votes = this.#rounds.get(round)
    return votes !== undefined && this.#isQuorum(votes[kind].powerOf(valueId))
  }

  /** Whether 2f+1 voted in a round, for any value or nil. */
  hasQuorumAny(round: Round, kind: VoteKind): boolean {
    const votes = this.#rounds.get(round)
    return votes !== undefined && this.#isQuorum(votes[kind].total)
  }

  /** The value, other than nil, for which 2f+1 voted in a round. */
  quorumValue(round: Round, kind: VoteKind): Hash | undefined {
    return this.#rounds.get(round)?.[kind].valueWith((power) => this.#isQuorum(power))
  }

  /** The highest round above `current` in which f+1 voted (L55). */
  skipRound(current: Round): Round | undefined {
    let highest: Round | undefined
    for (const [round, votes] of this.#rounds) {
      if (round > (highest ?? current) && isHonest(votes.voters, this.#validators.totalPower)) highest = round
    }
    return highest
  }

  /** The counted vote of a validator. */
  vote(round: Round, kind: VoteKind, validator: Address): Vote | undefined {
    return this.#rounds.get(round)?.[kind].get(validator)
  }

  /** The counted votes of a round, in order of arrival. */
  votes(round: Round, kind: VoteKind): readonly Vote[] {
    return this.#rounds.get(round)?.[kind].votes() ?? []
  }

  /** Removes rounds more than `pastRoundsMax` below `current`. */
  prune(current: Round): void {
    for (const round of this.#rounds.keys()) {
      if (round < current - CONSENSUS_LIMITS.pastRoundsMax) this.#rounds.delete(round)
    }
  }

  #isQuorum(power: number): boolean {
    return isQuorum(power, this.#validators.totalPower)
  }

  #round(round: Round): RoundVotes {
    const known = this.#rounds.get(round)
    if (known !== undefined) return known
    const fresh: RoundVotes = { prevote: new Tally(), precommit: new Tally(), voters: 0, reached: new Set() }
    this.#rounds.set(round, fresh)
    return fresh
  }

  #equivocation(first: Vote, second: Vote): VoteAdded {
    if (this.#equivocators.has(second.validator)) return refused('equivocation')
    this.#equivocators.add(second.validator)
    return { threshold: undefined, refusal: 'equivocation', evidence: voteEvidence(first, second) }
  }

  /**
   * The most significant threshold that this vote reached, unless it was reported before. In a later round any quorum is reported as a skip, because
   * the caller must enter that round first. Only a decision takes precedence.
   */
  #firstReached(votes: RoundVotes, vote: Vote, current: Round): Threshold | undefined {
    const threshold = this.#reached(votes, vote, current)
    if (threshold === undefined) return undefined
    const name = 'valueId' in threshold ? `${threshold.kind}:${threshold.valueId}` : threshold.kind
    if (votes.reached.has(name)) return undefined
    votes.reached.add(name)
    return threshold
  }

  #reached(votes: RoundVotes, { kind, round, valueId }: Vote, current: Round): Threshold | undefined {
    const tally = votes[kind]
    const forValue = this.#isQuorum(tally.powerOf(valueId))
    if (kind === 'precommit' && valueId !== undefined && forValue) return { kind: 'precommitValue', round, valueId }
    if (round > current) return isHonest(votes.voters, this.#validators.totalPower) ? { kind: 'skip', round } : undefined
    if (forValue && kind === 'prevote')
      return valueId === undefined ? { kind: 'polkaNil', round } : { kind: 'polkaValue', round, valueId }
    if (!this.#isQuorum(tally.total)) return undefined
    return { kind: kind === 'prevote' ? 'polkaAny' : 'precommitAny', round }
  }

  /**
   * Whether a vote of a later round may be kept. The newest rounds of a validator are kept; its oldest round ahead is evicted. This never takes back a
   * reported threshold: ahead of the current round only the skip can be reached, and the caller enters that round at once.
   */
  #makeRoom(vote: Vote, current: Round): boolean {
    if (vote.round <= current) return true
    const ahead = [...this.#rounds.keys()]
      .filter((round) => round > current && this.#hasVoted(round, vote.validator))
      .sort((a, b) => a - b)
    if (ahead.length < CONSENSUS_LIMITS.futureRoundsPerValidatorMax || ahead.includes(vote.round)) return true
    const oldest = ahead[0]!
    if (vote.round < oldest) return false
    this.#forget(oldest, vote.validator)
    return true
  }

  #hasVoted(round: Round, validator: Address): boolean {
    const votes = this.#rounds.get(round)
    return votes?.prevote.get(validator) !== undefined || votes?.precommit.get(validator) !== undefined
  }

  #forget(round: Round, validator: Address): void {
    const votes = this.#rounds.get(round)!
    const { power } = this.#validators.get(validator)!
    votes.prevote.remove(validator, power)
    votes.precommit.remove(validator, power)
    votes.voters -= power
    if (votes.voters === 0) this.#rounds.delete(round)
  }
}

const refused = (refusal: VoteRefusal): VoteAdded => ({ threshold: undefined, refusal, evidence: undefined })
