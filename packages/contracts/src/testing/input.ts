import { Address, type Hex, hexToBytes, parseHex, U256_MAX, Wei } from '@quoin/protocol'
import { isAddress } from '#viem/utils'
import { ChainError } from './error.ts'
import { formatValue } from './format.ts'

/** Checks an address and converts it to the form of the state. Throws ChainError if it is invalid; a wrong checksum is invalid. */
export function readAddress(what: string, address: Hex): Address {
  if (typeof address === 'string' && isAddress(address)) return Address(address)
  throw new ChainError(`${what} is not a valid address: ${formatValue(address)}`)
}

export function readAmount(what: string, amount: bigint): Wei {
  if (typeof amount === 'bigint' && amount >= 0n && amount <= U256_MAX) return Wei(amount)
  throw new ChainError(`${what} must be a bigint of wei from 0 to 2^256 - 1: ${formatValue(amount)}`)
}

export function readBytes(what: string, data: Hex): Uint8Array {
  if (typeof data === 'string' && parseHex(data) !== undefined) return hexToBytes(data)
  throw new ChainError(`${what} must be hex of whole bytes: ${formatValue(data)}`)
}

/** Checks a whole number within bounds, given as number or bigint. */
export function readInteger(what: string, value: number | bigint, min: number, max: number): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= min && number <= max) return number
  throw new ChainError(`${what} must be a whole number from ${min} to ${max}: ${String(value)}`)
}
