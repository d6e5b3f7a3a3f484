import type { Address, Height, Round, Validator, ValidatorSet } from '@quoin/protocol'

/**
 * Selects the proposer of a round. A pure function: no priorities are carried from height to height. Its cost is O(n) additions and O(log n) bigint
 * divisions for round 0, and as much again for each further round.
 *
 * Round 0 distributes the heights by a balanced binary tree over the validators in order of address. A tree node with the powers L and R below it
 * that is visited for the k-th time, counted from 0, goes left if floor((k+1)·L/(L+R)) > floor(k·L/(L+R)). Its left child has then been visited
 * floor(k·L/(L+R)) times and its right child the rest. Each level rounds by less than one. So with one validator set:
 *
 * - In any run of heights, a validator proposes in proportion to its power, to within 2·ceil(log2 n) heights.
 * - Over totalPower heights (divided by the greatest common divisor of the powers) it proposes exactly in proportion.
 * - Equal powers give strict round robin.
 *
 * Round r > 0 selects in the same way among the validators that have not proposed in this height yet. In n consecutive rounds from a multiple of n,
 * every validator proposes once, those with more power earlier.
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

/** Index of the validator to which visit number `count` of the tree's root leads. Never one with power 0. */
function pick(powers: readonly number[], count: number): number {
  const sums = [0]
  for (const power of powers) sums.push(sums.at(-1)! + power)
  let visits = BigInt(count) // bigint, because its product with a power can exceed 2^53
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
