import { developmentAccounts, developmentAddress } from '@quoin/platform'
import { type Address, type Crypto, utf8ToBytes } from '@quoin/protocol'

/** Number of development validators whose keys the node recognises, to refuse them on a chain that is not for development. */
export const DEVELOPMENT_VALIDATORS_MAX = 32

/** Secret key of the devnet's validator `index`: SHA-256 of public text, so not secret at all. */
export const developmentValidatorKey = (crypto: Crypto, index: number): Uint8Array =>
  crypto.sha256(utf8ToBytes(`quoin development validator ${index}`))

/** Seed of the network key of the devnet's node `index`. */
export const developmentNodeSeed = (crypto: Crypto, index: number): Uint8Array =>
  crypto.sha256(utf8ToBytes(`quoin development node ${index}`))

/** Addresses of all development keys, which are public. A real chain must neither fund them nor have them as validators. */
export function developmentAddresses(crypto: Crypto): ReadonlySet<Address> {
  const addresses = new Set(developmentAccounts(crypto).map(({ address }) => address))
  for (let i = 0; i < DEVELOPMENT_VALIDATORS_MAX; i++)
    addresses.add(developmentAddress(crypto, developmentValidatorKey(crypto, i)))
  return addresses
}
