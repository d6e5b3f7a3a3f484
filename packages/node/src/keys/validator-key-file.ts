import { readFile } from 'node:fs/promises'
import { type Crypto, err, type Result } from '@quoin/protocol'
import { openKeystore, parseKeystore } from './keystore.ts'
import { readPasswordFile } from './secret-file.ts'
import { type KeyError, parseValidatorKeyFile, type ValidatorKey, validatorKeyOf } from './validator-key.ts'

/** Where the password of a key file is, asked only for an encrypted one. */
export type PasswordSource = () => Promise<Result<string, KeyError>>

/** The password in a file; an empty path means that none was given. */
export const passwordIn =
  (path: string): PasswordSource =>
  () =>
    path === ''
      ? Promise.resolve(
          err({
            code: 'invalid-key',
            message: 'the key file is encrypted: name the file with its password (keys.password-file)',
          }),
        )
      : readPasswordFile(path)

/**
 * Reads a validator's key from its file: plain, as `quoin init` writes it, or a keystore of Web3 Secret Storage.
 *
 * @throws ENOENT if the file does not exist.
 */
export async function readValidatorKey(
  crypto: Crypto,
  path: string,
  password: PasswordSource,
): Promise<Result<ValidatorKey, KeyError>> {
  const text = await readFile(path, 'utf8')
  const keystore = parseKeystore(text)
  if (keystore === undefined) {
    const plain = parseValidatorKeyFile(crypto, text)
    return plain.ok ? plain : named(path, plain.error)
  }
  const given = await password()
  if (!given.ok) return named(path, given.error)
  const opened = await openKeystore(crypto, keystore, given.value)
  return opened.ok ? validatorKeyOf(crypto, opened.value) : named(path, opened.error)
}

const named = (file: string, { message }: { readonly message: string }): Result<never, KeyError> =>
  err({ code: 'invalid-key', message: `${file}: ${message}` })
