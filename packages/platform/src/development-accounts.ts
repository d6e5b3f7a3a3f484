import { pbkdf2Sync } from 'node:crypto'
import { type Address, addressOfPublicKey, type Crypto, publicKeyOf } from '@quoin/protocol'
import { childKey, HARDENED, rootKey } from './hd-key.ts'

/** The mnemonic of anvil and Hardhat. Its keys are public: never use them where value is at stake. */
export const DEVELOPMENT_MNEMONIC = 'test test test test test test test test test test test junk'
/** Default number of development accounts, as in anvil. */
export const DEVELOPMENT_ACCOUNTS = 10
/** Balance of each development account in wei: 10,000 units of the currency, as in anvil. */
export const DEVELOPMENT_BALANCE = 10_000n * 10n ** 18n

export interface DevelopmentAccount {
  readonly address: Address
  readonly secretKey: Uint8Array
}

/** Derives the accounts that anvil and Hardhat fund: the keys m/44'/60'/0'/0/i (BIP-44) of `DEVELOPMENT_MNEMONIC`. */
export function developmentAccounts(crypto: Crypto, count: number = DEVELOPMENT_ACCOUNTS): readonly DevelopmentAccount[] {
  // The seed of BIP-39, computed here because a library for mnemonics has the word lists of ten languages.
  const root = rootKey(pbkdf2Sync(DEVELOPMENT_MNEMONIC, 'mnemonic', 2_048, 64, 'sha512'))
  const external = EXTERNAL_CHAIN.reduce((key, index) => childKey(crypto, key, index), root)
  return Array.from({ length: count }, (_, i) => {
    const { secretKey } = childKey(crypto, external, i)
    return { secretKey, address: developmentAddress(crypto, secretKey) }
  })
}

/** m/44'/60'/0'/0 */
const EXTERNAL_CHAIN = [HARDENED + 44, HARDENED + 60, HARDENED, 0]

/**
 * The Ethereum address of a development key.
 *
 * @throws Error if the bytes are not a valid secret key of secp256k1.
 */
export function developmentAddress(crypto: Crypto, secretKey: Uint8Array): Address {
  const compressed = crypto.publicKey(secretKey)
  const address = compressed === undefined ? undefined : addressOfPublicKey(crypto, publicKeyOf(compressed))
  if (address === undefined) throw new Error('a derived development key is not a valid secret key')
  return address
}
