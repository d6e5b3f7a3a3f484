/**
 * Thresholds of voting power, n ≥ 3f + 1 by power. Powers sum to at most 2^39 (128 validators of 2^32), so three times a sum is an exact
 * integer; the checks keep it so if a limit ever grows.
 */

/** 2f+1: strictly more than two thirds of the total. */
export const isQuorum = (power: number, total: number): boolean => tripled(power) > 2 * checkedTotal(total)

/** f+1: strictly more than one third of the total, so at least one honest validator. */
export const isHonest = (power: number, total: number): boolean => tripled(power) > checkedTotal(total)

/** Sum of two powers. Throws when it is not exact. */
export function addPower(a: number, b: number): number {
  const sum = a + b
  if (!Number.isSafeInteger(sum) || a < 0 || b < 0) throw new RangeError(`powers ${a} and ${b} have no exact sum`)
  return sum
}

function tripled(power: number): number {
  const product = 3 * power
  if (!Number.isSafeInteger(product) || power < 0) throw new RangeError(`${power} is not a power that can be compared`)
  return product
}

function checkedTotal(total: number): number {
  if (!Number.isSafeInteger(2 * total) || total < 1) throw new RangeError(`${total} is not a total power`)
  return total
}
