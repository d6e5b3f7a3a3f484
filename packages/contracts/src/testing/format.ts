import { TESTING_LIMITS } from './limits.ts'

/** Formats a value as in the source of a test. Long values are cut off. */
export function formatValue(value: unknown): string {
  const text = writeValue(value)
  const { valueCharsMax } = TESTING_LIMITS
  return text.length <= valueCharsMax ? text : `${text.slice(0, valueCharsMax)}…`
}

function writeValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return value.startsWith('0x') ? value : JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(writeValue).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const members = Object.entries(value).map(([name, member]) => `${name}: ${writeValue(member)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

/** Formats values as the argument list of a call. */
export const formatArguments = (values: readonly unknown[]): string => `(${values.map(formatValue).join(', ')})`
