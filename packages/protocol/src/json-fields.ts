import { type Address, bytesToHex, compareBytes, type Hash, type Hex, hexToBytes, parseHex } from './bytes.ts'
import { U256_MAX, type Wei } from './numbers.ts'
import { idOfName, SHORT_NAME_RULE } from './short-name.ts'

/** A field that is not as it must be. The reader of the document turns it into a result. */
export class Refusal extends Error {}

/** Refuses a field, by its path in the document. */
export const fail = (path: string, problem: string): never => {
  throw new Refusal(`${path}: ${problem}`)
}

/** Sorts entries and refuses duplicates. An address with checksum and the same one in lower case are duplicates. */
export function byAddress<T extends { readonly address: Address }>(path: string, entries: readonly T[]): readonly T[] {
  const sorted = entries.toSorted((a, b) => compareBytes(hexToBytes(a.address), hexToBytes(b.address)))
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.address === sorted[i - 1]!.address) fail(path, `duplicate entry ${sorted[i]!.address}`)
  }
  return sorted
}

export function object(path: string, value: unknown, keys?: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, 'must be an object')
  const unknown = keys === undefined ? undefined : Object.keys(value).find((key) => !keys.includes(key))
  if (unknown !== undefined) fail(`${path}.${unknown}`, `unknown key (known keys: ${keys!.join(', ')})`)
  return value as Readonly<Record<string, unknown>>
}

export function array(path: string, value: unknown, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(value)) return fail(path, 'must be an array')
  return value.length >= min && value.length <= max
    ? value
    : fail(path, `has ${value.length} entries, must have ${min} to ${max}`)
}

export function integer(path: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
  return fits ? value : fail(path, `must be an integer from ${min} to ${max}`)
}

export const boolean = (path: string, value: unknown): boolean =>
  typeof value === 'boolean' ? value : fail(path, 'must be true or false')

export function text(path: string, value: unknown, max: number): string {
  return typeof value === 'string' && value.length <= max ? value : fail(path, `must be a string of at most ${max} characters`)
}

/** A non-empty string that `codec.ascii` can encode. */
export function name(path: string, value: unknown, max: number): string {
  const fits = typeof value === 'string' && value.length <= max && /^[\x20-\x7e]+$/.test(value)
  return fits ? value : fail(path, `must be a string of 1 to ${max} printable ASCII characters`)
}

export function hex(path: string, value: unknown, length: number): Hex {
  const bytes = typeof value === 'string' ? parseHex(value) : undefined
  return bytes?.length === length ? bytesToHex(bytes) : fail(path, `must be 0x and ${2 * length} hex digits`)
}

/** Wei as a decimal string, because JSON numbers lose digits above 2^53. */
export function amount(path: string, value: unknown): Wei {
  if (typeof value !== 'string' || !/^\d{1,78}$/.test(value))
    return fail(path, 'must be an amount in wei, as a string of decimal digits')
  const wei = BigInt(value)
  return wei <= U256_MAX ? (wei as Wei) : fail(path, 'is above 2^256 - 1')
}

/** The id of an organisation or validator, written as its short name. */
export function id(path: string, value: unknown): Hash {
  const found = typeof value === 'string' ? idOfName(value) : undefined
  return found ?? fail(path, `must be ${SHORT_NAME_RULE}`)
}

/** One of several words. */
export function oneOf<T extends string>(path: string, value: unknown, words: readonly T[]): T {
  return words.find((word) => word === value) ?? fail(path, `must be one of ${words.join(', ')}`)
}

/** Refuses a list with two equal texts. Returns it sorted. */
export function sortedTexts<T extends string>(path: string, texts: readonly T[]): readonly T[] {
  const sorted = texts.toSorted((a, b) => (a < b ? -1 : 1))
  const twice = sorted.find((entry, i) => entry === sorted[i - 1])
  return twice === undefined ? sorted : fail(path, `duplicate entry ${twice}`)
}
