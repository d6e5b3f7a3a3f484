import type { Address, Height, Round, Validator, ValidatorSet } from '@quoin/protocol'

/**
 * The validator that proposes in a round of a height: a pure function of the set, in O(log n) steps for round 0 and O(n) more for each
 * round after it, without priorities carried from height to height.
 *
 * Round 0 deals the heights out by a balanced binary tree over the validators in order of address. A node with powers L and R that is
 * visited for the k-th time goes left if floor((k+1)·L/(L+R)) > floor(k·L/(L+R)), its left child then counts floor(k·L/(L+R))
 * and its right child the rest. Every level rounds by less than one, so in any run of heights with one set a validator proposes
 * its share of power to within 2·ceil(log2 n); over totalPower (divided by the powers' common divisor) heights exactly its share; and equal powers
 * give strict round robin.
 *
 * Later rounds draw without replacement: round r chooses in the same way among the validators that have not yet proposed in this
 * height, so that n consecutive rounds from a multiple of n ask every validator once, the powerful ones sooner.
 */
export function selectProposer(set: ValidatorSet, height: Height, round: Round): Address {
  const powers = set.validators.map(({ power }) => power as number)
  let chosen = pick(powers, height)
  for (let tried = round % powers.length; tried > 0; tried--) {
    powers[chosen] = 0
    chosen = pick(powers, height)
  }
  return (set.validators[chosen] as Validator).address
}

/** Index that the `count`-th visit of the tree's root leads to. Never one of power 0. */
function pick(powers: readonly number[], count: number): number {
  const sums = [0]
  for (const power of powers) sums.push(sums.at(-1)! + power)
  let visits = BigInt(count) // times a power it passes 2^53
  let from = 0
  let to = powers.length
  while (to - from > 1) {
    const middle = (from + to) >> 1
    const left = BigInt(sums[middle]! - sums[from]!)
    const both = BigInt(sums[to]! - sums[from]!)
    const leftVisits = (visits * left) / both
    if (((visits + 1n) * left) / both > leftVisits) {
      visits = leftVisits
      to = middle
    } else {
      visits -= leftVisits
      from = middle
    }
  }
  return from
}
