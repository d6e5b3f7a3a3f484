import { addressInKeystore, addressOfSecret, openKeystore, parseKeystore, readSecretFile } from '@quoin/node/keys'
import { CommandError, orFail } from '@quoin/node/process'
import { nobleCrypto as crypto, parseHex } from '@quoin/protocol'
import { type PasswordOptions, readPassword } from './password.ts'

export interface AccountKey {
  /** In lower case. */
  readonly address: string
  readonly secretKey: Uint8Array
}

const FORMS = 'it must contain 0x and 64 hex digits, or a keystore in JSON (Web3 Secret Storage, version 3)'

/**
 * Reads an account's secret key from a file: hex, or an encrypted keystore.
 *
 * @throws CommandError when others may read the file, it contains no key, or the password is wrong
 */
export async function readAccountKey(path: string, options: PasswordOptions): Promise<AccountKey> {
  const text = orFail(await readSecretFile(path), '--key')
  const keystore = parseKeystore(text)
  const secretKey =
    keystore === undefined
      ? secretIn(text, path)
      : orFail(await openKeystore(crypto, keystore, await readPassword(options, `Password of ${path}`)), path)
  const address = addressOfSecret(crypto, secretKey)
  if (address === undefined) throw new CommandError(`${path}: not a secret key of secp256k1`)
  return { address, secretKey }
}

function secretIn(text: string, path: string): Uint8Array {
  const secret = parseHex(text.trim())
  if (secret?.length !== 32) throw new CommandError(`${path} is not the file of an account's key: ${FORMS}`)
  return secret
}

/** The address of a key file, without its password if it names the address. */
export async function readAccountAddress(path: string, options: PasswordOptions): Promise<string> {
  const keystore = parseKeystore(orFail(await readSecretFile(path), '--key'))
  const named = keystore && addressInKeystore(keystore)
  return named ?? (await readAccountKey(path, options)).address
}
