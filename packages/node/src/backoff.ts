/**
 * Wait before the next attempt: it doubles with each failure in a row.
 *
 * @param failures - At least 1.
 * @param firstMs - Wait after the first failure, in ms.
 * @param maxMs - Longest wait, in ms.
 * @returns Milliseconds.
 */
export const backoffMs = (failures: number, firstMs: number, maxMs: number): number =>
  Math.min(maxMs, firstMs * 2 ** (failures - 1))
