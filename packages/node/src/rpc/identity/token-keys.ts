import { createPublicKey, createSecretKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import { err, ok, type Result } from '@quoin/protocol'
import { z } from 'zod'
import { IDENTITY_LIMITS } from './limits.ts'
import type { TokenSettings } from './settings.ts'

/** Algorithms of tokens. A key has exactly one of them, by the file it came from and its kind. */
export type TokenAlgorithm = 'HS256' | 'RS256' | 'ES256'

export interface TokenKey {
  readonly algorithm: TokenAlgorithm
  /** Name of the key in its set; undefined for keys without names. */
  readonly id: string | undefined
  readonly key: KeyObject
}

/** RSA keys with fewer bits are refused (RFC 7518, 3.3). */
const RSA_BITS_MIN = 2_048

/**
 * Reads the keys of the settings.
 *
 * HS256 only ever gets the key of the secret's file, which must be hex and so cannot be the text of a public key; RS256 and ES256 only get
 * public keys of their own kind. No token can have a key used with another algorithm.
 *
 * @returns The keys, or what is wrong with a file, with its name.
 */
export function readTokenKeys({ secret, keys }: Pick<TokenSettings, 'secret' | 'keys'>): Result<readonly TokenKey[], string> {
  const all: TokenKey[] = []
  for (const [file, read] of [
    ...(secret === undefined ? [] : [[secret, readSecret] as const]),
    ...keys.map((file) => [file, readKeys] as const),
  ]) {
    const found = read(file.text)
    if (!found.ok) return err(`${file.name}: ${found.error}`)
    all.push(...found.value)
    if (all.length > IDENTITY_LIMITS.keysMax)
      return err(`${file.name}: there are more than ${IDENTITY_LIMITS.keysMax} keys for tokens in all files`)
  }
  return ok(all)
}

function readSecret(text: string): Result<readonly TokenKey[], string> {
  const [, digits] = /^(?:0x)?((?:[0-9a-fA-F]{2})+)$/.exec(text.trim()) ?? []
  if (digits === undefined) return err('the secret must be hex digits: make one with openssl rand -hex 32')
  const bytes = Buffer.from(digits, 'hex')
  if (bytes.length < IDENTITY_LIMITS.secretBytesMin)
    return err(`the secret has ${bytes.length} bytes, and must have at least ${IDENTITY_LIMITS.secretBytesMin}`)
  return ok([{ algorithm: 'HS256', id: undefined, key: createSecretKey(bytes) }])
}

const readKeys = (text: string): Result<readonly TokenKey[], string> =>
  text.trimStart().startsWith('{') ? readKeySet(text) : readPem(text)

function readPem(text: string): Result<readonly TokenKey[], string> {
  if (text.includes('PRIVATE KEY')) return err('this is a private key: the node needs only the public one (openssl pkey -pubout)')
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----/g)
  if (blocks === null) return err('there is no PUBLIC KEY in PEM form, and no JSON Web Key Set')
  return all(blocks.map((pem) => publicKey(() => createPublicKey(pem), undefined)))
}

const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) })
const names = z.object({
  kty: z.enum(['RSA', 'EC'], { error: 'kty must be RSA or EC: secrets have a file of their own' }),
  kid: z.string().max(256).optional(),
  alg: z.enum(['RS256', 'ES256'], { error: 'alg must be RS256 or ES256' }).optional(),
  use: z.literal('sig', { error: 'use must be sig' }).optional(),
  d: z.undefined({ error: 'it is a private key: the node needs only the public one' }).optional(),
})

function readKeySet(text: string): Result<readonly TokenKey[], string> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (failure) {
    if (failure instanceof SyntaxError) return err(`this is no JSON Web Key Set: ${failure.message}`)
    throw failure
  }
  const set = keySet.safeParse(parsed)
  if (!set.success) return err('this is no JSON Web Key Set: it must have a list of keys')
  return all(
    set.data.keys.map((jwk, i) => {
      const head = names.safeParse(jwk)
      if (!head.success) return err(`key ${i}: ${head.error.issues[0]?.message ?? 'it is not valid'}`)
      const { kid, alg } = head.data
      const read = publicKey(() => createPublicKey({ key: jwk, format: 'jwk' } as JsonWebKeyInput), kid)
      if (!read.ok) return err(`key ${i}: ${read.error}`)
      const { algorithm } = read.value
      return alg === undefined || alg === algorithm ? read : err(`key ${i}: alg is ${alg}, but the key is for ${algorithm}`)
    }),
  )
}

function publicKey(read: () => KeyObject, id: string | undefined): Result<TokenKey, string> {
  let key: KeyObject
  try {
    key = read()
  } catch (failure) {
    // OpenSSL could not read it. Its message says where.
    return err(`the public key cannot be read: ${failure instanceof Error ? failure.message : 'unknown reason'}`)
  }
  const { asymmetricKeyType: kind, asymmetricKeyDetails: { modulusLength = 0, namedCurve } = {} } = key
  if (kind === 'rsa' && modulusLength >= RSA_BITS_MIN) return ok({ algorithm: 'RS256', id, key })
  if (kind === 'rsa') return err(`the RSA key has ${modulusLength} bits, and must have at least ${RSA_BITS_MIN}`)
  if (kind === 'ec' && namedCurve === 'prime256v1') return ok({ algorithm: 'ES256', id, key })
  return err(
    `a key of kind ${kind}${namedCurve === undefined ? '' : ` ${namedCurve}`} is of no use: tokens have RS256, or ES256 with P-256`,
  )
}

function all<T>(results: readonly Result<T, string>[]): Result<readonly T[], string> {
  const values: T[] = []
  for (const result of results) {
    if (!result.ok) return result
    values.push(result.value)
  }
  return ok(values)
}
