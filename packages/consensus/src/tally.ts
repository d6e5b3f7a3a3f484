import type { Address, Hash, Power, Vote } from '@quoin/protocol'
import { addPower } from './quorum.ts'

/** Votes of one kind in one round: the first of each validator, and the power behind each value. */
export class Tally {
  readonly #votes = new Map<Address, Vote>()
  /** Key undefined: nil. */
  readonly #powers = new Map<Hash | undefined, number>()
  #total = 0

  /** Power of everyone who voted, whatever for. */
  get total(): number {
    return this.#total
  }

  get(validator: Address): Vote | undefined {
    return this.#votes.get(validator)
  }

  /** Power behind a value; undefined asks for nil. */
  powerOf(valueId: Hash | undefined): number {
    return this.#powers.get(valueId) ?? 0
  }

  /** The value, nil excluded, whose power satisfies the threshold; at most one can for a quorum. */
  valueWith(threshold: (power: number) => boolean): Hash | undefined {
    for (const [valueId, power] of this.#powers) {
      if (valueId !== undefined && threshold(power)) return valueId
    }
    return undefined
  }

  /** Counts a validator's only vote of this kind and round: the caller has looked that there is none. */
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

  /** In the order in which they came. */
  votes(): readonly Vote[] {
    return [...this.#votes.values()]
  }
}
