import { getAddress, type Hex } from 'viem'

/** Reads a value of one type from the 64 hex digits of a word. Undefined if the word is not how the type is encoded. */
export type WordReader = (digits: string) => unknown

const ZEROS = '0'.repeat(64)
const ONE = `${'0'.repeat(63)}1`
const WORD = 1n << 256n

/** Larger integers are bigints, as in viem. */
const NUMBER_BITS_MAX = 48

/** A reader of values of a type that is one word. Undefined for all other types. */
export function wordReader(type: string): WordReader | undefined {
  if (type === 'bool') return (digits) => (digits === ONE ? true : digits === ZEROS ? false : undefined)
  if (type === 'address')
    return (digits) => (digits.startsWith(ZEROS.slice(0, 24)) ? getAddress(`0x${digits.slice(24)}`) : undefined)
  const [, kind, size] = /^(u?int|bytes)(\d+)$/.exec(type) ?? []
  if (kind === undefined) return undefined
  if (kind === 'bytes') return bytesReader(2 * Number(size))
  return integerReader(Number(size), kind === 'int')
}

const bytesReader =
  (chars: number): WordReader =>
  (digits): Hex | undefined =>
    ZEROS.startsWith(digits.slice(chars)) ? `0x${digits.slice(0, chars)}` : undefined

function integerReader(bits: number, isSigned: boolean): WordReader {
  const valueBits = BigInt(isSigned ? bits - 1 : bits)
  const [min, end] = [isSigned ? -(1n << valueBits) : 0n, 1n << valueBits]
  return (digits) => {
    const unsigned = BigInt(`0x${digits}`)
    const value = isSigned && unsigned >= WORD / 2n ? unsigned - WORD : unsigned
    if (value < min || value >= end) return undefined
    return bits > NUMBER_BITS_MAX ? value : Number(value)
  }
}
