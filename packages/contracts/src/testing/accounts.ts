import { developmentAccounts } from '@quoin/platform'
import { bytesToHex, type Crypto, type Hex } from '@quoin/protocol'
import { getAddress } from '#viem/utils'

/** A well-known account. Its private key is public. */
export interface TestAccount {
  /** With EIP-55 checksum. */
  readonly address: Hex
  readonly privateKey: Hex
}

let made: readonly TestAccount[] = []

/** The first `count` accounts that anvil, Hardhat and `quoin dev` fund. Derived once per process. */
export function testAccounts(crypto: Crypto, count: number): readonly TestAccount[] {
  if (made.length < count)
    made = developmentAccounts(crypto, count).map(({ address, secretKey }) => ({
      address: getAddress(address),
      privateKey: bytesToHex(secretKey),
    }))
  return made.slice(0, count)
}
