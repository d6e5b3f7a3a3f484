export const UINT256_MAX = 2n ** 256n - 1n

/** A sum that storage can hold; throws a RangeError for one that is beyond uint256. */
export function sumOf(a: bigint, b: bigint, what: string): bigint {
  if (a + b > UINT256_MAX) throw new RangeError(`${what} would be beyond uint256`)
  return a + b
}
