import { type Address, bytesToHex, type Crypto, ok, type Result } from '@quoin/protocol'
import { parseAddress } from '../abi/address.ts'
import { type Refused, refused } from './define.ts'

/** Parses an address that a guest passed: all lower case, or with the right checksum. */
export function readAddress(crypto: Crypto, text: string): Result<Address, Refused> {
  const bytes = parseAddress(crypto, text)
  if (bytes === 'type') return refused('an address is expected')
  return bytes === 'checksum' ? refused('the checksum of the address is wrong') : ok(bytesToHex(bytes) as Address)
}
