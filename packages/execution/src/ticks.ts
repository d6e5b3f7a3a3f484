/**
 * Unit in which the interpreter and the contract layer count work: one plain instruction of the interpreter's binary, 3,000 per
 * microsecond. A whole number, never negative, never above the budget.
 */
export type Ticks = number

/** Ticks per gas. Transactions are charged in gas, 300 per microsecond. Part of the execution version. */
export const TICKS_PER_GAS = 10

/** Ticks that an amount of gas buys, at most Number.MAX_SAFE_INTEGER. */
export const ticksOf = (gas: number): Ticks => Math.min(gas * TICKS_PER_GAS, Number.MAX_SAFE_INTEGER)

/** Gas that used ticks cost, rounded up. */
export const gasUsedOf = (ticks: Ticks): number => Math.ceil(ticks / TICKS_PER_GAS)

/** Whole gas that is left, rounded down. */
export const gasLeftOf = (ticks: Ticks): number => Math.floor(ticks / TICKS_PER_GAS)

/**
 * Converts a price for disk work, and for everything that follows a block's writes, from gas to ticks. Price tables mix such
 * prices with ticks of processor work.
 */
export const disk = (gas: number): Ticks => gas * TICKS_PER_GAS

/**
 * Checks an amount of ticks. A number that is fractional, negative or above `most` would spread into other numbers until nodes
 * differ, so it ends the execution. It is always a bug of this package, never caused by a contract.
 *
 * @throws Error for an invalid amount
 */
export function assertTicks(ticks: Ticks, most: Ticks = Number.MAX_SAFE_INTEGER): Ticks {
  if (!Number.isSafeInteger(ticks) || ticks < 0 || ticks > most)
    throw new Error(`gas accounting: ${ticks} of at most ${most} ticks`)
  return ticks
}
