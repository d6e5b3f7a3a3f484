import { type Address, type Evidence, type Hash, type Proposal, proposalEvidence, type Round } from '@quoin/protocol'
import { CONSENSUS_LIMITS } from './limits.ts'

export type ProposalRefusal = 'duplicate' | 'equivocation' | 'old-round' | 'far-round'

export interface ProposalAdded {
  readonly refusal: ProposalRefusal | undefined
  /** First proof that this proposer contradicted itself in this height. The proposal is kept all the same. */
  readonly evidence: Evidence | undefined
}

/** What the node said of a value, and of the rounds in which it was proposed as a fresh one. */
interface Verdict {
  readonly valid: boolean
  readonly fresh: Map<Round, boolean>
  /** The latest round that it was given for. */
  latest: Round
}

/**
 * The proposals of one height, and what is known of their values. Validity is the value's; freshness (timely, miner, time) belongs to
 * a value in a round. A value without a verdict is still being fetched or executed: no rule applies to it yet.
 */
export class ProposalKeeper {
  readonly #rounds = new Map<Round, Proposal[]>()
  readonly #verdicts = new Map<Hash, Verdict>()
  readonly #equivocators = new Set<Address>()

  /** Keeps a verified proposal of the round's proposer; `current` is the round that the caller is in. */
  add(proposal: Proposal, current: Round): ProposalAdded {
    const { round } = proposal
    if (round < current - CONSENSUS_LIMITS.pastRoundsMax) return refused('old-round')
    const known = this.#rounds.get(round) ?? []
    if (known.some((other) => sameContent(other, proposal))) return refused('duplicate')
    if (known.length >= CONSENSUS_LIMITS.proposalsPerRoundMax) return refused('equivocation')
    if (known.length === 0 && !this.#makeRoom(proposal, current)) return refused('far-round')
    this.#rounds.set(round, [...known, proposal])
    return { refusal: undefined, evidence: known[0] === undefined ? undefined : this.#equivocation(known[0], proposal) }
  }

  /** Proposals of a round in the order in which they came. */
  proposals(round: Round): readonly Proposal[] {
    return this.#rounds.get(round) ?? []
  }

  /** Records the node's word on a value; false when nothing changed. The first word on each question stands. */
  judge(valueId: Hash, round: Round, valid: boolean, fresh: boolean): boolean {
    const known = this.#verdicts.get(valueId)
    const verdict = known ?? { valid, fresh: new Map<Round, boolean>(), latest: round }
    if (verdict.fresh.has(round)) return false
    verdict.fresh.set(round, fresh)
    if (round > verdict.latest) verdict.latest = round
    this.#verdicts.set(valueId, verdict)
    return true
  }

  /** Whether a value is valid; undefined while unknown. */
  isValid(valueId: Hash): boolean | undefined {
    return this.#verdicts.get(valueId)?.valid
  }

  /** Whether a value was acceptable as the fresh proposal of a round; undefined while unknown. */
  isFresh(valueId: Hash, round: Round): boolean | undefined {
    return this.#verdicts.get(valueId)?.fresh.get(round)
  }

  /** Forgets proposals and verdicts of rounds too far below `current`, except the verdicts on `kept` values. */
  prune(current: Round, kept: readonly (Hash | undefined)[]): void {
    const oldest = current - CONSENSUS_LIMITS.pastRoundsMax
    for (const round of this.#rounds.keys()) if (round < oldest) this.#rounds.delete(round)
    for (const [valueId, { latest }] of this.#verdicts) {
      if (latest < oldest && !kept.includes(valueId)) this.#verdicts.delete(valueId)
    }
  }

  #equivocation(first: Proposal, second: Proposal): Evidence | undefined {
    if (this.#equivocators.has(second.proposer)) return undefined
    this.#equivocators.add(second.proposer)
    return proposalEvidence(first, second)
  }

  /** Of a proposer's rounds ahead only its highest few are kept, as with votes: nobody can push out another's proposal. */
  #makeRoom({ round, proposer }: Proposal, current: Round): boolean {
    if (round <= current) return true
    const ahead = [...this.#rounds]
      .filter(([known, proposals]) => known > current && proposals[0]?.proposer === proposer)
      .map(([known]) => known)
      .sort((a, b) => a - b)
    if (ahead.length < CONSENSUS_LIMITS.futureRoundsPerValidatorMax) return true
    const oldest = ahead[0]!
    if (round < oldest) return false
    this.#rounds.delete(oldest)
    return true
  }
}

const sameContent = (a: Proposal, b: Proposal): boolean => a.valueId === b.valueId && a.polRound === b.polRound

const refused = (refusal: ProposalRefusal): ProposalAdded => ({ refusal, evidence: undefined })
