import type { Guest } from '../guest.ts'
import type { ScalarType, SpecValue } from '../value-types.ts'

declare const quoin: Guest

/** Texts and bytes up to this length stand in keys as they are; longer ones as their hash. */
const PLAIN_KEY_CHARS_MAX = 40

const ADDRESS_CHARS = 42

/** Puts a value of one type into a key: no two values have the same text, and none is the beginning of another's that goes on within a key. */
export type KeyText<V> = (value: V) => string

function refuse(type: string): never {
  throw new TypeError(`a key must be a value of type ${type}`)
}

function integerText(type: string): KeyText<bigint> {
  const bits = BigInt(type.replace(/\D+/, ''))
  const [least, most] = type.startsWith('u') ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
  return (value) => (typeof value === 'bigint' && value >= least && value <= most ? `${value}` : refuse(type))
}

/** The length in front makes the text's end known. */
const plainOrHashed = (text: string, bytes: () => Uint8Array): string =>
  text.length <= PLAIN_KEY_CHARS_MAX ? `${text.length}.${text}` : `#${quoin.encodeHex(quoin.sha256(bytes()))}`

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
    return (value: string) => (typeof value === 'string' && value.length === ADDRESS_CHARS ? value : refuse(type))
  if (type === 'bool') return (value: boolean) => (typeof value === 'boolean' ? `${+value}` : refuse(type))
  if (type === 'string')
    return (value: string) => (typeof value === 'string' ? plainOrHashed(value, () => quoin.encodeUtf8(value)) : refuse(type))
  if (type === 'bytes')
    return (value: Uint8Array) => (isBytes(value) ? plainOrHashed(quoin.encodeHex(value), () => value) : refuse(type))
  if (type.startsWith('bytes')) {
    const length = Number(type.slice(5))
    return (value: Uint8Array) => (isBytes(value) && value.length === length ? quoin.encodeHex(value) : refuse(type))
  }
  return integerText(type)
}
