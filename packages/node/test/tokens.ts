import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** Tokens made by hand, so that tests can make those that no library would. */

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs with HMAC-SHA-256, an RSA key or a key on P-256; a `null` key leaves the signature empty. */
export function tokenOf(claims: object, key: KeyObject | Uint8Array | string | null, header: object = {}): string {
  const alg =
    key === null
      ? 'none'
      : typeof key === 'string' || key instanceof Uint8Array
        ? 'HS256'
        : key.asymmetricKeyType === 'rsa'
          ? 'RS256'
          : 'ES256'
  const text = `${part({ typ: 'JWT', alg, ...header })}.${part(claims)}`
  return `${text}.${signatureOf(text, key)}`
}

function signatureOf(text: string, key: KeyObject | Uint8Array | string | null): string {
  if (key === null) return ''
  if (typeof key === 'string' || key instanceof Uint8Array) return createHmac('sha256', key).update(text).digest('base64url')
  return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

export const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()

export const testSecret = new Uint8Array(32).fill(7)
export const secretText = (secret: Uint8Array = testSecret): string => `${Buffer.from(secret).toString('hex')}\n`

export const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2_048 })
export const ecPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const otherPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
