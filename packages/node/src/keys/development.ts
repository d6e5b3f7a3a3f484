import { pbkdf2Sync } from 'node:crypto'
import { type Address, addressOfPublicKey, type Crypto, publicKeyOf, utf8ToBytes } from '@quoin/protocol'
import { childKey, HARDENED, rootKey } from './hd-key.ts'

/** The mnemonic of anvil and Hardhat: everybody knows these keys. */
export const DEVELOPMENT_MNEMONIC = 'test test test test test test test test test test test junk'
export const DEVELOPMENT_ACCOUNTS = 10
/** Development validators that can be told from real ones, and are refused on a chain that is not for development. */
export const DEVELOPMENT_VALIDATORS_MAX = 32
/** What each development account owns, in wei: 10,000 of the currency, as in anvil. */
export const DEVELOPMENT_BALANCE = 10_000n * 10n ** 18n

export interface DevelopmentAccount {
  readonly address: Address
  readonly secretKey: Uint8Array
}

/** The accounts that anvil and Hardhat fund: m/44'/60'/0'/0/i of the mnemonic. */
export function developmentAccounts(crypto: Crypto, count: number = DEVELOPMENT_ACCOUNTS): readonly DevelopmentAccount[] {
  // BIP-39's seed. A library for mnemonics would bring the word lists of ten languages.
  const root = rootKey(pbkdf2Sync(DEVELOPMENT_MNEMONIC, 'mnemonic', 2_048, 64, 'sha512'))
  const external = EXTERNAL_CHAIN.reduce((key, index) => childKey(crypto, key, index), root)
  return Array.from({ length: count }, (_, i) => {
    const { secretKey } = childKey(crypto, external, i)
    return { secretKey, address: addressOf(crypto, secretKey) }
  })
}

/** m/44'/60'/0'/0 */
const EXTERNAL_CHAIN = [HARDENED + 44, HARDENED + 60, HARDENED, 0]

/** Voting key of the devnet's validator `index`: SHA-256 of a text that everybody can read here. */
export const developmentValidatorKey = (crypto: Crypto, index: number): Uint8Array =>
  crypto.sha256(utf8ToBytes(`quoin development validator ${index}`))

/** Seed of the network key of the devnet's node `index`. */
export const developmentNodeSeed = (crypto: Crypto, index: number): Uint8Array =>
  crypto.sha256(utf8ToBytes(`quoin development node ${index}`))

/** Addresses of every key that everybody knows: none may vote on, or be funded by, a real chain. */
export function developmentAddresses(crypto: Crypto): ReadonlySet<Address> {
  const addresses = new Set(developmentAccounts(crypto).map(({ address }) => address))
  for (let i = 0; i < DEVELOPMENT_VALIDATORS_MAX; i++) addresses.add(addressOf(crypto, developmentValidatorKey(crypto, i)))
  return addresses
}

function addressOf(crypto: Crypto, secretKey: Uint8Array): Address {
  const compressed = crypto.publicKey(secretKey)
  const address = compressed === undefined ? undefined : addressOfPublicKey(crypto, publicKeyOf(compressed))
  if (address === undefined) throw new Error('a derived development key is not a valid secret key')
  return address
}
