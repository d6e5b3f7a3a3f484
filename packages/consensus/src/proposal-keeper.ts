import { type Address, type Evidence, type Hash, type Proposal, proposalEvidence, type Round } from '@quoin/protocol'
import { CONSENSUS_LIMITS } from './limits.ts'

export type ProposalRefusal = 'duplicate' | 'equivocation' | 'old-round' | 'far-round'

export interface ProposalAdded {
  readonly refusal: ProposalRefusal | undefined
  /** The first proof of this proposer's equivocation in this height. The proposal is kept anyway. */
  readonly evidence: Evidence | undefined
}

/** The node's verdict on a value, and on the value as the fresh proposal of each round. */
interface Verdict {
  readonly valid: boolean
  readonly fresh: Map<Round, boolean>
  /** The highest round for which a verdict was given. */
  latest: Round
}

/**
 * The proposals of one height and the verdicts on their values. Validity is a property of the value. Freshness (timely, miner, time) is a property of
 * a value in a round. A value without a verdict is still being fetched or executed, and no rule applies to it yet.
 */
export class ProposalKeeper {
  readonly #rounds = new Map<Round, Proposal[]>()
  readonly #verdicts = new Map<Hash, Verdict>()
  readonly #equivocators = new Set<Address>()

  /** Adds a verified proposal of the round's proposer. `current` is the round of the state. */
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

  /** Proposals of a round in order of arrival. */
  proposals(round: Round): readonly Proposal[] {
    return this.#rounds.get(round) ?? []
  }

  /** Records a verdict. The first verdict on validity, and the first on freshness in a round, is final. Returns false if nothing changed. */
  judge(valueId: Hash, round: Round, valid: boolean, fresh: boolean): boolean {
    const known = this.#verdicts.get(valueId)
    const verdict = known ?? { valid, fresh: new Map<Round, boolean>(), latest: round }
    if (verdict.fresh.has(round)) return false
    verdict.fresh.set(round, fresh)
    if (round > verdict.latest) verdict.latest = round
    this.#verdicts.set(valueId, verdict)
    return true
  }

  /** Whether a value is valid; undefined without a verdict. */
  isValid(valueId: Hash): boolean | undefined {
    return this.#verdicts.get(valueId)?.valid
  }

  /** Whether a value was acceptable as the fresh proposal of a round; undefined without a verdict. */
  isFresh(valueId: Hash, round: Round): boolean | undefined {
    return this.#verdicts.get(valueId)?.fresh.get(round)
  }

  /** Removes proposals and verdicts of rounds more than `pastRoundsMax` below `current`, except verdicts on the values in `kept`. */
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

  /**
   * Whether a proposal of a later round may be kept. As with votes, only the highest few rounds ahead of each proposer are kept, so no proposer can
   * evict the proposals of another.
   */
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
