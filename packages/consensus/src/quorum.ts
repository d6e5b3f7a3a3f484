// Thresholds of voting power, with n ≥ 3f + 1 by power. Powers sum to at most 2^39 (128 validators of 2^32), so three times a sum is an exact
// integer. The checks below guard against larger limits in future.

/**
 * Whether a power is 2f+1: strictly more than two thirds of the total.
 *
 * @throws RangeError for a negative power, a total below 1, or numbers that are too large for an exact result.
 */
export const isQuorum = (power: number, total: number): boolean => tripled(power) > 2 * checkedTotal(total)

/**
 * Whether a power is f+1: strictly more than one third of the total, so that it includes at least one honest validator.
 *
 * @throws RangeError for a negative power, a total below 1, or numbers that are too large for an exact result.
 */
export const isHonest = (power: number, total: number): boolean => tripled(power) > checkedTotal(total)

/**
 * Adds two powers.
 *
 * @throws RangeError if a power is negative or the sum is above 2^53 - 1.
 */
export function addPower(a: number, b: number): number {
  const sum = a + b
  if (!Number.isSafeInteger(sum) || a < 0 || b < 0)
    throw new RangeError(`cannot add powers ${a} and ${b}: negative, or the sum is above 2^53 - 1`)
  return sum
}

function tripled(power: number): number {
  const product = 3 * power
  if (!Number.isSafeInteger(product) || power < 0)
    throw new RangeError(`invalid power ${power}: must be an integer from 0 to (2^53 - 1) / 3`)
  return product
}

function checkedTotal(total: number): number {
  if (!Number.isSafeInteger(2 * total) || total < 1)
    throw new RangeError(`invalid total power ${total}: must be an integer from 1 to (2^53 - 1) / 2`)
  return total
}
