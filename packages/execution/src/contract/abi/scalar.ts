import { type Crypto, utf8ToBytes } from '@quoin/protocol'
import { checksumAddress, parseAddress } from './address.ts'
import { fail } from './fault.ts'
import type { ScalarType } from './type.ts'
import type { AbiValue } from './value.ts'

/** Checks values that contracts pass for scalar types, and converts between values and words. All functions throw AbiFailure. */

export const WORD = 32

/** Scratch word for converting between bytes and bigints. A new view per encoding would cost more than the encoding. */
const scratch = new DataView(new ArrayBuffer(WORD))
const scratchBytes = new Uint8Array(scratch.buffer)

/** Writes a value of a static scalar type as a word. `bytes` must be zero there. */
export function writeScalar(crypto: Crypto, bytes: Uint8Array, at: number, type: ScalarType, value: unknown): void {
  switch (type.kind) {
    case 'uint':
    case 'int':
      return writeInteger(bytes, at, wantInteger(type, value))
    case 'bool':
      bytes[at + WORD - 1] = wantBoolean(value) ? 1 : 0
      return
    case 'address':
      return bytes.set(wantAddress(crypto, value), at + 12)
    default:
      return bytes.set(wantFixedBytes(type, value), at)
  }
}

/** Reads a value of a static scalar type from the word at a position. */
export function readScalar(crypto: Crypto, bytes: Uint8Array, at: number, { kind, bits, name }: ScalarType): AbiValue {
  switch (kind) {
    case 'uint': {
      const value = readInteger(bytes, at)
      return bits === 256 || value >> BigInt(bits) === 0n ? value : fail('range', `the word is out of range for ${name}`)
    }
    case 'int': {
      const value = BigInt.asIntN(256, readInteger(bytes, at))
      return BigInt.asIntN(bits, value) === value ? value : fail('range', `the word is out of range for ${name}`)
    }
    case 'bool': {
      const value = readSmall(bytes, at)
      return value > 1 ? fail('range', 'the word is neither 0 nor 1') : value === 1
    }
    case 'address':
      wantZero(bytes, at, at + 12)
      return checksumAddress(crypto, bytes.subarray(at + 12, at + WORD))
    default: {
      const length = bits / 8
      wantZero(bytes, at + length, at + WORD)
      return new Uint8Array(bytes.subarray(at, at + length))
    }
  }
}

function readInteger(bytes: Uint8Array, at: number): bigint {
  for (let i = 0; i < WORD; i++) scratchBytes[i] = bytes[at + i]!
  return scratchInteger()
}

function scratchInteger(): bigint {
  const low = scratch.getBigUint64(24)
  const second = scratch.getBigUint64(16)
  const high = (scratch.getBigUint64(0) << 64n) | scratch.getBigUint64(8)
  // Fast path: most integers are small.
  return high === 0n && second === 0n ? low : (high << 128n) | (second << 64n) | low
}

/** Big-endian bytes of a number below 2^256 without leading zeros; empty for 0. */
export function unsignedBytes(value: bigint): Uint8Array {
  putInteger(value)
  let start = 0
  while (start < WORD && scratchBytes[start] === 0) start++
  return scratchBytes.slice(start)
}

/** Reads a number of at most 32 bytes. */
export function readUnsigned(bytes: Uint8Array): bigint {
  scratchBytes.fill(0, 0, WORD - bytes.length)
  scratchBytes.set(bytes, WORD - bytes.length)
  return scratchInteger()
}

/** Reads the word at a position as a number; Infinity above 2^32, because no data is that long. */
export function readSmall(bytes: Uint8Array, at: number): number {
  const end = at + WORD
  for (let i = at; i < end - 4; i++) if (bytes[i] !== 0) return Number.POSITIVE_INFINITY
  return bytes[end - 4]! * 2 ** 24 + ((bytes[end - 3]! << 16) | (bytes[end - 2]! << 8) | bytes[end - 1]!)
}

/** Writes a number below 2^32 into the last bytes of a zeroed word. */
export function writeSmall(bytes: Uint8Array, at: number, value: number): void {
  for (let i = at + WORD - 1, rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes[i--] = rest % 256
}

export function wantZero(bytes: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) fail('padding', `byte ${i} is padding and must be zero`)
}

/** Writes an integer as a word in two's complement. */
export function writeInteger(bytes: Uint8Array, at: number, value: bigint): void {
  putInteger(value)
  bytes.set(scratchBytes, at)
}

function putInteger(value: bigint): void {
  // Fast path: most integers are small.
  const isSmall = value >= 0n && value <= 0xffff_ffff_ffff_ffffn
  const rest = isSmall ? 0n : value >> 64n
  scratch.setBigUint64(24, BigInt.asUintN(64, value))
  scratch.setBigUint64(16, BigInt.asUintN(64, rest))
  scratch.setBigUint64(8, isSmall ? 0n : BigInt.asUintN(64, rest >> 64n))
  scratch.setBigUint64(0, isSmall ? 0n : BigInt.asUintN(64, rest >> 128n))
}

/** Requires a bigint within the range of its type. */
export function wantInteger({ kind, bits, name }: ScalarType, value: unknown): bigint {
  if (typeof value !== 'bigint') fail('type', 'a bigint is expected')
  const fits = kind === 'uint' ? BigInt.asUintN(bits, value) === value : BigInt.asIntN(bits, value) === value
  return fits ? value : fail('range', `the integer is out of range for ${name}`)
}

export const wantBoolean = (value: unknown): boolean =>
  typeof value === 'boolean' ? value : fail('type', 'a boolean is expected')

export function wantAddress(crypto: Crypto, value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? parseAddress(crypto, value) : 'type'
  if (bytes === 'type') fail('type', 'an address is expected')
  return bytes === 'checksum' ? fail('checksum', 'the checksum of the address is wrong') : bytes
}

export function wantFixedBytes({ bits }: ScalarType, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) fail('type', 'a Uint8Array is expected')
  return value.length === bits / 8 ? value : fail('length', `${value.length} bytes, expected ${bits / 8}`)
}

/** Contents of a `bytes` or `string`. */
export function wantContent({ kind }: ScalarType, value: unknown): Uint8Array {
  if (kind === 'bytes') return value instanceof Uint8Array ? value : fail('type', 'a Uint8Array is expected')
  if (typeof value !== 'string') fail('type', 'a string is expected')
  // With the u flag, only lone surrogates match this class.
  return /\p{Surrogate}/u.test(value) ? fail('utf8', 'the string has a lone surrogate') : utf8ToBytes(value)
}
