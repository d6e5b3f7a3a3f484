import type { Address, Hash, Power, Vote } from '@quoin/protocol'
import { addPower } from './quorum.ts'

/** Votes of one kind in one round: the first of each validator, and the power that voted for each value. */
export class Tally {
  readonly #votes = new Map<Address, Vote>()
  /** The key undefined is nil. */
  readonly #powers = new Map<Hash | undefined, number>()
  #total = 0

  /** Power of all validators that voted, for any value or nil. */
  get total(): number {
    return this.#total
  }

  get(validator: Address): Vote | undefined {
    return this.#votes.get(validator)
  }

  /** Power that voted for a value, or for nil if `valueId` is undefined. */
  powerOf(valueId: Hash | undefined): number {
    return this.#powers.get(valueId) ?? 0
  }

  /** The value, other than nil, whose power reaches the threshold. For a quorum there is at most one. */
  valueWith(threshold: (power: number) => boolean): Hash | undefined {
    for (const [valueId, power] of this.#powers) {
      if (valueId !== undefined && threshold(power)) return valueId
    }
    return undefined
  }

  /** Counts a vote. The caller has checked that the validator has no vote in this tally yet. */
  add(vote: Vote, power: Power): void {
    this.#votes.set(vote.validator, vote)
    this.#powers.set(vote.valueId, addPower(this.powerOf(vote.valueId), power))
    this.#total = addPower(this.#total, power)
  }

  remove(validator: Address, power: Power): void {
    const vote = this.#votes.get(validator)
    if (vote === undefined) return
    this.#votes.delete(validator)
    const left = this.powerOf(vote.valueId) - power
    if (left === 0) this.#powers.delete(vote.valueId)
    else this.#powers.set(vote.valueId, left)
    this.#total -= power
  }

  /** In order of arrival. */
  votes(): readonly Vote[] {
    return [...this.#votes.values()]
  }
}
