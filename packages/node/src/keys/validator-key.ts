import {
  type Address,
  addressOfPublicKey,
  bytesToHex,
  type Crypto,
  err,
  ok,
  type PublicKey,
  parseHex,
  publicKeyOf,
  type Result,
} from '@quoin/protocol'

/** The secp256k1 key with which a validator signs its votes and proposals. */
export interface ValidatorKey {
  readonly address: Address
  readonly publicKey: PublicKey
  readonly secretKey: Uint8Array
}

export interface KeyError {
  readonly code: 'invalid-key'
  readonly message: string
}

export function validatorKeyOf(crypto: Crypto, secretKey: Uint8Array): Result<ValidatorKey, KeyError> {
  const compressed = secretKey.length === 32 ? crypto.publicKey(secretKey) : undefined
  if (compressed === undefined)
    return err({
      code: 'invalid-key',
      message: 'not a secret key of secp256k1: "secretKey" must be 32 bytes, above zero and below the order of the curve',
    })
  const publicKey = publicKeyOf(compressed)
  return ok({ publicKey, secretKey, address: addressOfPublicKey(crypto, publicKey)! })
}

/** The content of a key file. Address and public key are informative: only the secret is read back. */
export function validatorKeyFile(key: ValidatorKey): string {
  const { address, publicKey, secretKey } = key
  return `${JSON.stringify({ kind: 'quoin-validator-key', address, publicKey: bytesToHex(publicKey), secretKey: bytesToHex(secretKey) }, null, 2)}\n`
}

export function parseValidatorKeyFile(crypto: Crypto, text: string): Result<ValidatorKey, KeyError> {
  const secretKey = parseSecret(text, 'quoin-validator-key')
  return secretKey.ok ? validatorKeyOf(crypto, secretKey.value) : secretKey
}

/** Reads `secretKey` from the JSON text of a key file with this `kind`. */
export function parseSecret(text: string, kind: string): Result<Uint8Array, KeyError> {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (failure) {
    return err({ code: 'invalid-key', message: `the key file is not valid JSON: ${(failure as Error).message}` })
  }
  const fields = (typeof document === 'object' && document !== null ? document : {}) as Readonly<Record<string, unknown>>
  if (fields['kind'] !== kind) return err({ code: 'invalid-key', message: `the key file must contain "kind": "${kind}"` })
  const secret = typeof fields['secretKey'] === 'string' ? parseHex(fields['secretKey']) : undefined
  return secret === undefined
    ? err({ code: 'invalid-key', message: '"secretKey" must be a hex string that starts with 0x' })
    : ok(secret)
}
