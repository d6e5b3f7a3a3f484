export const UINT256_MAX = 2n ** 256n - 1n

/** Adds two integers. Throws RangeError if the sum exceeds uint256, which storage could not hold. */
export function sumOf(a: bigint, b: bigint, what: string): bigint {
  if (a + b > UINT256_MAX) throw new RangeError(`${what} would be beyond uint256`)
  return a + b
}
