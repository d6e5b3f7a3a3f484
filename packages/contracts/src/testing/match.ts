/**
 * Whether a decoded value is what a test expects: objects and arrays may have more members than are expected of them, undefined matches
 * anything, and hex texts are compared without regard to case.
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

/** As `matches`, of lists of the same length. */
export const matchesAll = (actual: readonly unknown[], expected: readonly unknown[]): boolean =>
  actual.length === expected.length && matches(actual, expected)

const foldHex = (text: string): string => (text.startsWith('0x') ? text.toLowerCase() : text)

/** The codec decides by the type's width which of both an integer is. */
const isNumeric = (value: unknown): value is number | bigint => typeof value === 'bigint' || Number.isInteger(value)
