import type { Guest } from '../guest.ts'
import type { ScalarType, SpecValue } from '../value-types.ts'

declare const quoin: Guest

/** The host's limit for keys is 128 bytes. Keys of the kit are ASCII, so characters are bytes. */
const KEY_CHARS_MAX = 128

const ADDRESS_CHARS = 42

/** Maximum length of the place of a field in a mapping. It leaves room for an address or an index. */
export const PLACE_CHARS_MAX = KEY_CHARS_MAX - 1 - ADDRESS_CHARS

/** Strings and bytes (as hex) up to this length are part of keys in plain form. Longer ones and non-ASCII strings are hashed. */
const PLAIN_KEY_CHARS_MAX = 40

/**
 * Appends a value of one type to a key prefix. Different values give different keys, and no key is a prefix of another one that continues with `:` or
 * `#`.
 */
export type KeyText<V> = (prefix: string, value: V) => string

/** A key, or its hash if it is too long. */
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

/** The length prefix marks the end of the text. */
const plainOrHashed = (prefix: string, text: string, bytes: Uint8Array): string =>
  shortKey(prefix + (text.length <= PLAIN_KEY_CHARS_MAX ? `${text.length}.${text}` : hashed(bytes)))

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

/**
 * Writes values of a type into keys: addresses with their checksum, integers in decimal, bytes in hex. (Converting an address to lower case would cost
 * as much gas as the rest of an access.)
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
