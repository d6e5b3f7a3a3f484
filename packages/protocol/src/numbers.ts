/**
 * Look-alike numbers as different types. Each is built only by its checking constructor, which throws on a value outside
 * the type's range: such a value is a bug of the caller, for bytes from outside pass a codec first.
 *
 * Counters that fit 53 bits are plain numbers (they index, they sort, they print); amounts of money are bigint.
 */
declare const brand: unique symbol
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** Position of a block in the chain; genesis is 0. */
export type Height = Brand<number, 'Height'>
/** Attempt to agree within one height; the first is 0. */
export type Round = Brand<number, 'Round'>
/** Count of transactions that an account has sent. Fits 32 bits, because stock clients read it as a JavaScript integer. */
export type Nonce = Brand<number, 'Nonce'>
/** Units of execution cost. */
export type Gas = Brand<number, 'Gas'>
/** Voting power of a validator. */
export type Power = Brand<number, 'Power'>
/** EIP-155 chain id. */
export type ChainId = Brand<number, 'ChainId'>
/** Milliseconds since the Unix epoch. */
export type TimeMs = Brand<number, 'TimeMs'>
/** Amount of the native currency, 0 to 2^256 - 1. */
export type Wei = Brand<bigint, 'Wei'>

export const U32_MAX = 0xffff_ffff
export const U64_SAFE_MAX = Number.MAX_SAFE_INTEGER
export const U256_MAX = (1n << 256n) - 1n

function integer<T>(name: string, max: number) {
  return (value: number): T => {
    if (!Number.isSafeInteger(value) || value < 0 || value > max) {
      throw new RangeError(`${name} must be an integer from 0 to ${max}, not ${value}`)
    }
    return value as T
  }
}

export const Height = integer<Height>('Height', U64_SAFE_MAX)
export const Round = integer<Round>('Round', U32_MAX)
export const Nonce = integer<Nonce>('Nonce', U32_MAX)
export const Gas = integer<Gas>('Gas', U64_SAFE_MAX)
/** A million validators of the largest power still sum within 53 bits. */
export const POWER_MAX = 2 ** 32
export const Power = integer<Power>('Power', POWER_MAX)
export const ChainId = integer<ChainId>('ChainId', U64_SAFE_MAX)
export const TimeMs = integer<TimeMs>('TimeMs', U64_SAFE_MAX)

export function Wei(value: bigint): Wei {
  if (value < 0n || value > U256_MAX) throw new RangeError(`Wei must be from 0 to 2^256 - 1, not ${value}`)
  return value as Wei
}

export const nextHeight = (height: Height): Height => Height(height + 1)
