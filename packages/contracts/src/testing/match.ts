/**
 * Compares a decoded value with the expected one. Objects and arrays may have more members than expected, undefined matches anything, and the case of
 * hex strings does not matter.
 */
export function matches(actual: unknown, expected: unknown): boolean {
  if (expected === undefined) return true
  if (typeof actual === 'string' && typeof expected === 'string') return foldHex(actual) === foldHex(expected)
  if (isNumeric(actual) && isNumeric(expected)) return BigInt(actual) === BigInt(expected)
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null)
    return Object.is(actual, expected)
  if (Array.isArray(actual) && Array.isArray(expected) && expected.length > actual.length) return false
  return Object.entries(expected).every(([name, member]) => matches((actual as Record<string, unknown>)[name], member))
}

/** Like `matches`, for lists that must have the same length. */
export const matchesAll = (actual: readonly unknown[], expected: readonly unknown[]): boolean =>
  actual.length === expected.length && matches(actual, expected)

const foldHex = (text: string): string => (text.startsWith('0x') ? text.toLowerCase() : text)

/** viem decodes an integer as number or bigint, depending on the type's width. */
const isNumeric = (value: unknown): value is number | bigint => typeof value === 'bigint' || Number.isInteger(value)
