import type { Guest } from '../guest.ts'
import type { ScalarType, SpecValue } from '../value-types.ts'

declare const quoin: Guest

/** Keys that the host takes: 128 bytes. All that is put into one here is ASCII. */
const KEY_CHARS_MAX = 128

const ADDRESS_CHARS = 42

/** Longest place of a field within a mapping: an address still fits behind it, and so does an index. */
export const PLACE_CHARS_MAX = KEY_CHARS_MAX - 1 - ADDRESS_CHARS

/** Texts and bytes up to this length stand in keys as they are; longer ones as their hash, and so do texts that are not ASCII. */
const PLAIN_KEY_CHARS_MAX = 40

/**
 * Puts a value of one type behind the beginning of a key: no two values make the same key, and none makes the beginning of another's that goes
 * on with `:` or `#`.
 */
export type KeyText<V> = (prefix: string, value: V) => string

/** A key, or its hash where it is too long. */
export const shortKey = (key: string, charsMax = KEY_CHARS_MAX): string =>
  key.length > charsMax ? hashed(quoin.encodeUtf8(key)) : key

const hashed = (bytes: Uint8Array): string => `#${quoin.encodeHex(quoin.sha256(bytes))}`

function refuse(type: string): never {
  throw new TypeError(`a key must be a value of type ${type}`)
}

function integerText(type: string): KeyText<bigint> {
  const bits = BigInt(type.replace(/\D+/, ''))
  const [least, most] = type.startsWith('u') ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
  return (prefix, value) =>
    typeof value === 'bigint' && value >= least && value <= most ? shortKey(prefix + value) : refuse(type)
}

/** The length in front makes the text's end known. */
const plainOrHashed = (prefix: string, text: string, bytes: Uint8Array): string =>
  shortKey(prefix + (text.length <= PLAIN_KEY_CHARS_MAX ? `${text.length}.${text}` : hashed(bytes)))

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

/**
 * How values of a type are written in keys: addresses as the chain hands them out, integers in decimal, bytes in hex. (Making an address lower case
 * would cost as much as the rest of an access.)
 */
export function keyTextOf<T extends ScalarType>(type: T): KeyText<SpecValue<T>> {
  return writerOf(type) as KeyText<SpecValue<T>>
}

function writerOf(type: ScalarType): KeyText<never> {
  if (type === 'address')
    return (prefix, value: string) =>
      typeof value === 'string' && value.length === ADDRESS_CHARS ? prefix + value : refuse(type)
  if (type === 'bool') return (prefix, value: boolean) => (typeof value === 'boolean' ? shortKey(prefix + +value) : refuse(type))
  if (type === 'string')
    return (prefix, value: string) => {
      if (typeof value !== 'string') refuse(type)
      const bytes = quoin.encodeUtf8(value)
      return bytes.length === value.length ? plainOrHashed(prefix, value, bytes) : shortKey(prefix + hashed(bytes))
    }
  if (type === 'bytes')
    return (prefix, value: Uint8Array) => (isBytes(value) ? plainOrHashed(prefix, quoin.encodeHex(value), value) : refuse(type))
  if (type.startsWith('bytes')) {
    const length = Number(type.slice(5))
    return (prefix, value: Uint8Array) =>
      isBytes(value) && value.length === length ? shortKey(prefix + quoin.encodeHex(value)) : refuse(type)
  }
  return integerText(type)
}
