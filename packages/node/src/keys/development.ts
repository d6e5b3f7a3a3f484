import { developmentAccounts, developmentAddress } from '@quoin/platform'
import { type Address, type Crypto, utf8ToBytes } from '@quoin/protocol'

/** Development validators that can be told from real ones, and are refused on a chain that is not for development. */
export const DEVELOPMENT_VALIDATORS_MAX = 32

/** Voting key of the devnet's validator `index`: SHA-256 of a text that everybody can read here. */
export const developmentValidatorKey = (crypto: Crypto, index: number): Uint8Array =>
  crypto.sha256(utf8ToBytes(`quoin development validator ${index}`))

/** Seed of the network key of the devnet's node `index`. */
export const developmentNodeSeed = (crypto: Crypto, index: number): Uint8Array =>
  crypto.sha256(utf8ToBytes(`quoin development node ${index}`))

/** Addresses of every key that everybody knows: none may vote on, or be funded by, a real chain. */
export function developmentAddresses(crypto: Crypto): ReadonlySet<Address> {
  const addresses = new Set(developmentAccounts(crypto).map(({ address }) => address))
  for (let i = 0; i < DEVELOPMENT_VALIDATORS_MAX; i++)
    addresses.add(developmentAddress(crypto, developmentValidatorKey(crypto, i)))
  return addresses
}
