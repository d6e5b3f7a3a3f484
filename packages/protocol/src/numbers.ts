declare const brand: unique symbol
/**
 * A type that the compiler keeps apart from others with the same representation, so that a height is not passed for a round. Each number type below has a
 * constructor of the same name, which throws RangeError for a value out of range. Such a value is a bug of the caller, because a codec has already
 * checked bytes from outside.
 *
 * Counters fit into 53 bits and are plain numbers, which can index, sort and print. Amounts of money are bigint.
 *
 * @example
 * const height = Height(12) // 12, of type Height
 * Height(-1) // throws RangeError
 */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** Block number, 0 to 2^53 - 1. Genesis is 0. */
export type Height = Brand<number, 'Height'>
/** Number of a consensus round within one height, 0 to 2^32 - 1. */
export type Round = Brand<number, 'Round'>
/** Number of transactions that an account has sent, 0 to 2^32 - 1. Limited to 32 bits because common clients read it as a JavaScript number. */
export type Nonce = Brand<number, 'Nonce'>
/** Units of execution cost, 0 to 2^53 - 1. */
export type Gas = Brand<number, 'Gas'>
/** Voting power of a validator, 0 to 2^32. */
export type Power = Brand<number, 'Power'>
/** EIP-155 chain id, 0 to 2^53 - 1. */
export type ChainId = Brand<number, 'ChainId'>
/** Milliseconds since the Unix epoch, 0 to 2^53 - 1. */
export type TimeMs = Brand<number, 'TimeMs'>
/** Amount of the native currency in wei, 0 to 2^256 - 1. */
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
/** Largest power of one validator. The sum of a million such powers still fits into 53 bits. */
export const POWER_MAX = 2 ** 32
export const Power = integer<Power>('Power', POWER_MAX)
export const ChainId = integer<ChainId>('ChainId', U64_SAFE_MAX)
export const TimeMs = integer<TimeMs>('TimeMs', U64_SAFE_MAX)

/** @throws RangeError unless the value is from 0 to 2^256 - 1. */
export function Wei(value: bigint): Wei {
  if (value < 0n || value > U256_MAX) throw new RangeError(`Wei must be from 0 to 2^256 - 1, not ${value}`)
  return value as Wei
}

/** @throws RangeError after the largest height. */
export const nextHeight = (height: Height): Height => Height(height + 1)
