import { pbkdf2Sync } from 'node:crypto'
import { type Address, addressOfPublicKey, type Crypto, publicKeyOf } from '@quoin/protocol'
import { childKey, HARDENED, rootKey } from './hd-key.ts'

/** The mnemonic of anvil and Hardhat: everybody knows these keys. */
export const DEVELOPMENT_MNEMONIC = 'test test test test test test test test test test test junk'
export const DEVELOPMENT_ACCOUNTS = 10
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
    return { secretKey, address: developmentAddress(crypto, secretKey) }
  })
}

/** m/44'/60'/0'/0 */
const EXTERNAL_CHAIN = [HARDENED + 44, HARDENED + 60, HARDENED, 0]

/** Of a key that everybody can derive. Throws where the bytes are no secret key. */
export function developmentAddress(crypto: Crypto, secretKey: Uint8Array): Address {
  const compressed = crypto.publicKey(secretKey)
  const address = compressed === undefined ? undefined : addressOfPublicKey(crypto, publicKeyOf(compressed))
  if (address === undefined) throw new Error('a derived development key is not a valid secret key')
  return address
}
