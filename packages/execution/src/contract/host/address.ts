import { type Address, bytesToHex, type Crypto, hexToBytes, ok, type Result } from '@quoin/protocol'
import { checksumAddress, parseAddress } from '../abi/address.ts'
import { TextCache } from '../cache.ts'
import { CONTRACT_CACHE_LIMITS } from '../limits.ts'
import { type Refused, refused } from './define.ts'

const texts = new TextCache<string>(CONTRACT_CACHE_LIMITS.addressesMax)

/** An address as guests have it: with its EIP-55 checksum. */
export const addressText = (crypto: Crypto, address: Address): string =>
  texts.get(address, () => checksumAddress(crypto, hexToBytes(address)))

/** The address of a guest's text: all lower case, or with the right checksum. */
export function readAddress(crypto: Crypto, text: string): Result<Address, Refused> {
  const bytes = parseAddress(crypto, text)
  if (bytes === 'type') return refused('an address is expected')
  return bytes === 'checksum' ? refused('the checksum of the address is wrong') : ok(bytesToHex(bytes) as Address)
}
