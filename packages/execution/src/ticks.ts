/**
 * The unit in which the interpreter and the contract layer count: the work of one plain instruction of the interpreter's binary, 3,000 of them a
 * microsecond. Whole numbers, never negative, never more than a budget's.
 */
export type Ticks = number

/** What a transaction is asked and charged is gas, 300 a microsecond. Part of the execution version. */
export const TICKS_PER_GAS = 10

/** The ticks that an amount of gas buys; no more than a number holds exactly. */
export const ticksOf = (gas: number): Ticks => Math.min(gas * TICKS_PER_GAS, Number.MAX_SAFE_INTEGER)

/** What ticks that were used cost. */
export const gasUsedOf = (ticks: Ticks): number => Math.ceil(ticks / TICKS_PER_GAS)

/** Whole gas of what is left. */
export const gasLeftOf = (ticks: Ticks): number => Math.floor(ticks / TICKS_PER_GAS)

/** A price for work of the disk and all that follows a block's writes, which tables give in gas among the ticks of the processor's work. */
export const disk = (gas: number): Ticks => gas * TICKS_PER_GAS

/**
 * An amount that is counted. What is no whole number, negative or above `most` would flow on into other numbers until nodes differ, so it ends
 * the execution: it is a bug of ours, never a contract's doing.
 */
export function assertTicks(ticks: Ticks, most: Ticks = Number.MAX_SAFE_INTEGER): Ticks {
  if (!Number.isSafeInteger(ticks) || ticks < 0 || ticks > most)
    throw new Error(`gas accounting: ${ticks} of at most ${most} ticks`)
  return ticks
}
