import { developmentAccounts } from '@quoin/platform'
import { bytesToHex, type Crypto, type Hex } from '@quoin/protocol'
import { getAddress } from 'viem/utils'

/** An account that everybody has the key of. */
export interface TestAccount {
  /** With its checksum. */
  readonly address: Hex
  readonly privateKey: Hex
}

let made: readonly TestAccount[] = []

/** The first of the accounts that anvil, Hardhat and `quoin dev` fund; derived once a process. */
export function testAccounts(crypto: Crypto, count: number): readonly TestAccount[] {
  if (made.length < count)
    made = developmentAccounts(crypto, count).map(({ address, secretKey }) => ({
      address: getAddress(address),
      privateKey: bytesToHex(secretKey),
    }))
  return made.slice(0, count)
}
