import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { addressOfSecret, sealKeystore } from '@quoin/node/keys'
import { CommandError } from '@quoin/node/process'
import { nobleCrypto as crypto } from '@quoin/protocol'
import { readAccountKey } from './account-key.ts'
import { type PasswordOptions, readNewPassword } from './password.ts'

export interface NewAccountOptions extends PasswordOptions {
  /** File to write; by default named after the address. */
  readonly out?: string
}

/** Makes a key, and writes it as a keystore that its owner alone may read. Never replaces a file. */
export const newAccount = (options: NewAccountOptions): Promise<string> => write(newSecret(), options)

/** Encrypts a key that a file has in hex or in another keystore. */
export async function importAccount(file: string, options: NewAccountOptions): Promise<string> {
  // The options are those of the new file: an encrypted source asks on the terminal.
  const { secretKey } = await readAccountKey(file, {})
  return write(secretKey, options)
}

/** 32 random bytes are no key with a probability of about 2^-128. */
function newSecret(): Uint8Array {
  const secret = new Uint8Array(randomBytes(32))
  if (addressOfSecret(crypto, secret) === undefined) throw new Error('the random source returned an invalid secret key')
  return secret
}

async function write(secretKey: Uint8Array, { out, ...options }: NewAccountOptions): Promise<string> {
  const address = addressOfSecret(crypto, secretKey)!
  const path = out ?? `${address}.json`
  const password = await readNewPassword(options)
  const text = await sealKeystore(crypto, secretKey, password, (length) => new Uint8Array(randomBytes(length)))
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' })
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'EEXIST') throw failure
    throw new CommandError(`${path} already exists, and a key is never replaced: choose another file with --out`)
  }
  return `Address ${address}\nWrote ${path}. Without its password the key is lost: keep both, in different places.`
}
