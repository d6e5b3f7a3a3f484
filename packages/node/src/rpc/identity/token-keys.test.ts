import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ecPair, pemOf, rsaPair, secretText } from '../../../test/tokens.ts'
import { IDENTITY_LIMITS } from './limits.ts'
import { readTokenKeys } from './token-keys.ts'

const file = (text: string) => ({ name: 'file', text })
const kindsOf = (secret: string | undefined, ...keys: readonly string[]) => {
  const read = readTokenKeys({ secret: secret === undefined ? undefined : file(secret), keys: keys.map(file) })
  return read.ok ? read.value.map(({ algorithm, id }) => `${algorithm} ${id}`) : read.error
}
const jwk = (pair: typeof ecPair, more: object = {}) => ({ ...pair.publicKey.export({ format: 'jwk' }), ...more })
const setOf = (...keys: readonly object[]) => JSON.stringify({ keys })

describe('keys of tokens', () => {
  it('have one algorithm each, by their file and kind', () => {
    const pems = pemOf(rsaPair.publicKey) + pemOf(ecPair.publicKey)
    expect(
      kindsOf(secretText(), pems, setOf(jwk(rsaPair, { kid: 'a', alg: 'RS256', use: 'sig' }), jwk(ecPair, { kid: 'b' }))),
    ).toEqual(['HS256 undefined', 'RS256 undefined', 'ES256 undefined', 'RS256 a', 'ES256 b'])
    expect(kindsOf(undefined)).toEqual([])
  })

  const curve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const short = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  it.each([
    ['a secret that is too short', secretText(new Uint8Array(31)), [], '31 bytes'],
    ['a secret that is no hex', 'correct horse battery staple correct horse', [], 'hex digits'],
    ['a public key as the secret', pemOf(rsaPair.publicKey), [], 'hex digits'],
    ['an empty secret', '\n', [], 'hex digits'],
    ['a private key', undefined, [rsaPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()], 'private key'],
    ['a private key of a set', undefined, [setOf(ecPair.privateKey.export({ format: 'jwk' }))], 'private key'],
    ['a secret in a set', undefined, [setOf({ kty: 'oct', k: 'AAAA' })], 'RSA or EC'],
    ['a key with another algorithm', undefined, [setOf(jwk(ecPair, { alg: 'RS256' }))], 'alg is RS256'],
    ['a key for encryption', undefined, [setOf(jwk(rsaPair, { use: 'enc' }))], 'use must be sig'],
    ['a key on another curve', undefined, [pemOf(curve.publicKey)], 'secp256k1'],
    ['a short RSA key', undefined, [pemOf(short.publicKey)], '1024 bits'],
    ['a key that is broken', undefined, [pemOf(ecPair.publicKey).replace('MF', 'MA')], 'cannot be read'],
    ['a file without a key', undefined, ['hello'], 'no PUBLIC KEY'],
    ['a set without a list', undefined, ['{"keys":{}}'], 'list of keys'],
    ['a set that is no JSON', undefined, ['{'], 'JSON'],
    ['too many keys', undefined, [setOf(...Array.from({ length: IDENTITY_LIMITS.keysMax + 1 }, () => jwk(ecPair)))], 'more than'],
  ] as const)('%s is refused, with the name of the file', (_, secret, keys, problem) => {
    const error = kindsOf(secret, ...keys)
    expect(error).toMatch(/^file: /)
    expect(error).toContain(problem)
  })
})
