import type { KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/clock.ts'
import { ecPair, otherPair, pemOf, rsaPair, secretText, testSecret, tokenOf } from '../../../test/tokens.ts'
import { IDENTITY_LIMITS } from './limits.ts'
import type { TokenSettings } from './settings.ts'
import { type TokenProblem, TokenVerifier } from './token-verifier.ts'

const NOW_S = 1_800_000_000
const ACCOUNT = `0x${'Ab'.repeat(20)}`
const CLAIMS = { account: ACCOUNT, iat: NOW_S, exp: NOW_S + 600, aud: 'chain', iss: 'desk' }
const { clockToleranceS: TOLERANCE, tokenCharsMax } = IDENTITY_LIMITS
const LIFETIME = 3_600

const rsaPem = pemOf(rsaPair.publicKey)
const SETTINGS: TokenSettings = {
  secret: { name: 'secret', text: secretText() },
  keys: [
    { name: 'rsa', text: rsaPem },
    { name: 'set', text: JSON.stringify({ keys: [{ ...ecPair.publicKey.export({ format: 'jwk' }), kid: 'desk-1' }] }) },
  ],
  issuer: 'desk',
  audience: 'chain',
  lifetimeS: LIFETIME,
}

function open(settings: Partial<TokenSettings> = {}) {
  const clock = new ManualClock()
  clock.advance(NOW_S * 1_000)
  return { clock, verifier: new TokenVerifier({ ...SETTINGS, ...settings }, clock) }
}
const problemOf = async (token: string, settings: Partial<TokenSettings> = {}): Promise<TokenProblem | 'none'> => {
  const verified = await open(settings).verifier.verify(token)
  return verified.ok ? 'none' : verified.error.problem
}

const KEYS: readonly (readonly [string, KeyObject | Uint8Array])[] = [
  ['HS256', testSecret],
  ['RS256', rsaPair.privateKey],
  ['ES256', ecPair.privateKey],
]

describe('a token', () => {
  it.each(KEYS)('of %s names its account until it expires', async (_, key) => {
    const { verifier, clock } = open()
    const token = tokenOf(CLAIMS, key)
    const expected = { account: ACCOUNT.toLowerCase(), expiresMs: (CLAIMS.exp + TOLERANCE) * 1_000 }
    expect(verifier.knows(token)).toBe(false)
    expect(await verifier.verify(token)).toEqual({ ok: true, value: expected })
    // From now on without a promise.
    expect(verifier.knows(token)).toBe(true)
    expect(verifier.verify(token)).toEqual({ ok: true, value: expected })
    clock.advance((600 + TOLERANCE) * 1_000 - 1)
    expect(verifier.verify(token)).toMatchObject({ ok: true })
    clock.advance(1)
    expect(verifier.verify(token)).toMatchObject({ ok: false, error: { problem: 'expired' } })
  })

  it('may name its account as the subject, and need not have issuer and audience if nobody asks', async () => {
    const { account, aud, iss, ...claims } = CLAIMS
    expect([account, aud, iss]).toHaveLength(3)
    expect(await problemOf(tokenOf({ ...claims, sub: ACCOUNT }, testSecret), { issuer: undefined, audience: undefined })).toBe(
      'none',
    )
    expect(await problemOf(tokenOf({ ...CLAIMS, aud: ['other', 'chain'] }, testSecret))).toBe('none')
  })

  it('is checked with the key that it names, and with keys without a name', async () => {
    expect(await problemOf(tokenOf(CLAIMS, ecPair.privateKey, { kid: 'desk-1' }))).toBe('none')
    expect(await problemOf(tokenOf(CLAIMS, ecPair.privateKey, { kid: 'desk-2' }))).toBe('unknown-key')
    expect(await problemOf(tokenOf(CLAIMS, rsaPair.privateKey, { kid: 'desk-2' }))).toBe('none')
  })

  const header = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url')
  const valid = tokenOf(CLAIMS, testSecret)
  const [head = '', body = '', signature = ''] = valid.split('.')
  it.each<readonly [string, string, TokenProblem]>([
    ['without a signature, alg none', tokenOf(CLAIMS, null), 'malformed'],
    ['of alg none, with the signature of another', `${header({ alg: 'none' })}.${body}.${signature}`, 'unknown-key'],
    ['of alg NONE', `${header({ alg: 'NONE' })}.${body}.${signature}`, 'unknown-key'],
    ['without alg', `${header({ typ: 'JWT' })}.${body}.${signature}`, 'unknown-key'],
    ['whose secret is the PEM of the RSA key', tokenOf(CLAIMS, rsaPem), 'bad-signature'],
    ['whose secret is the PEM without its last line break', tokenOf(CLAIMS, rsaPem.trim()), 'bad-signature'],
    [
      'whose secret is the DER of the RSA key',
      tokenOf(CLAIMS, rsaPair.publicKey.export({ type: 'spki', format: 'der' })),
      'bad-signature',
    ],
    ['of RS256 in name, signed with the secret', tokenOf(CLAIMS, testSecret, { alg: 'RS256' }), 'bad-signature'],
    ['of ES256 in name, signed with the secret', tokenOf(CLAIMS, testSecret, { alg: 'ES256' }), 'bad-signature'],
    ['of HS256 in name, signed with the RSA key', tokenOf(CLAIMS, rsaPair.privateKey, { alg: 'HS256' }), 'bad-signature'],
    ['of PS256', tokenOf(CLAIMS, rsaPair.privateKey, { alg: 'PS256' }), 'unknown-key'],
    ['of HS512', tokenOf(CLAIMS, testSecret, { alg: 'HS512' }), 'unknown-key'],
    ['of another key', tokenOf(CLAIMS, otherPair.privateKey), 'bad-signature'],
    [
      'that brings its own key',
      tokenOf(CLAIMS, otherPair.privateKey, { jwk: otherPair.publicKey.export({ format: 'jwk' }) }),
      'bad-signature',
    ],
    ['that names a URL of keys', tokenOf(CLAIMS, otherPair.privateKey, { jku: 'https://evil.example/keys' }), 'bad-signature'],
    ['with unknown critical headers', tokenOf(CLAIMS, testSecret, { crit: ['x'], x: 1 }), 'malformed'],
    ['with a payload that is not encoded', tokenOf(CLAIMS, testSecret, { crit: ['b64'], b64: false }), 'malformed'],
    [
      'with a changed payload',
      `${head}.${Buffer.from(JSON.stringify({ ...CLAIMS, account: `0x${'11'.repeat(20)}` })).toString('base64url')}.${signature}`,
      'bad-signature',
    ],
    [
      'with a zero signature on P-256',
      `${header({ alg: 'ES256' })}.${body}.${Buffer.alloc(64).toString('base64url')}`,
      'bad-signature',
    ],
    ['with a short signature', `${head}.${body}.${signature.slice(0, 8)}`, 'bad-signature'],
    ['that has expired', tokenOf({ ...CLAIMS, exp: NOW_S - TOLERANCE - 1 }, testSecret), 'expired'],
    ['without exp', tokenOf({ ...CLAIMS, exp: undefined }, testSecret), 'malformed'],
    ['whose exp is a text', tokenOf({ ...CLAIMS, exp: '1900000000' }, testSecret), 'malformed'],
    ['that holds later', tokenOf({ ...CLAIMS, nbf: NOW_S + TOLERANCE + 1 }, testSecret), 'not-yet-valid'],
    ['that was issued later', tokenOf({ ...CLAIMS, iat: NOW_S + TOLERANCE + 1 }, testSecret), 'not-yet-valid'],
    ['that lives too long', tokenOf({ ...CLAIMS, exp: NOW_S + LIFETIME + TOLERANCE + 1 }, testSecret), 'lifetime-too-long'],
    [
      'that lives too long, without iat',
      tokenOf({ ...CLAIMS, iat: undefined, exp: NOW_S + LIFETIME + TOLERANCE + 1 }, testSecret),
      'lifetime-too-long',
    ],
    ['that has lived too long', tokenOf({ ...CLAIMS, iat: NOW_S - LIFETIME }, testSecret), 'lifetime-too-long'],
    ['that ends never', tokenOf({ ...CLAIMS, exp: 1e300 }, testSecret), 'lifetime-too-long'],
    ['for another audience', tokenOf({ ...CLAIMS, aud: 'other' }, testSecret), 'wrong-audience'],
    ['without an audience', tokenOf({ ...CLAIMS, aud: undefined }, testSecret), 'wrong-audience'],
    ['of another issuer', tokenOf({ ...CLAIMS, iss: 'shop' }, testSecret), 'wrong-issuer'],
    ['without an account', tokenOf({ ...CLAIMS, account: undefined }, testSecret), 'no-account'],
    ['whose account is no address', tokenOf({ ...CLAIMS, account: '0x12', sub: ACCOUNT }, testSecret), 'no-account'],
    ['whose account is null', tokenOf({ ...CLAIMS, account: { address: ACCOUNT } }, testSecret), 'no-account'],
    ['whose subject is a name', tokenOf({ ...CLAIMS, account: undefined, sub: 'alice' }, testSecret), 'no-account'],
    ['whose claims are no object', `${head}.${Buffer.from('[]').toString('base64url')}.${signature}`, 'bad-signature'],
    ['that is huge', 'a'.repeat(tokenCharsMax + 1), 'too-long'],
    ['that is empty', '', 'malformed'],
    ['of two parts', `${head}.${body}`, 'malformed'],
    ['of five parts (JWE)', `${valid}.a.b`, 'malformed'],
    ['with other letters', `${head}.${body}.\u00e9${signature}`, 'malformed'],
    ['with padding', `${valid}=`, 'malformed'],
    ['whose header is no JSON', `${Buffer.from('{').toString('base64url')}.${body}.${signature}`, 'malformed'],
    ['whose header is no object', `${Buffer.from('"HS256"').toString('base64url')}.${body}.${signature}`, 'malformed'],
  ])('%s is refused', async (_, token, problem) => {
    expect(await problemOf(token)).toBe(problem)
  })

  it('that was refused is not remembered', async () => {
    const { verifier } = open()
    const token = tokenOf(CLAIMS, otherPair.privateKey)
    await verifier.verify(token)
    expect(verifier.knows(token)).toBe(false)
  })

  it('with any one character changed does not count', async () => {
    // The last characters of a signature have bits that no byte takes: its text may change without the signature.
    const bytes = (token: string) =>
      token
        .split('.')
        .map((text) => Buffer.from(text, 'base64url').toString('hex'))
        .join('.')
    const character = fc.constantFrom(...'ABCDabcd0123-_.')
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...KEYS), fc.nat(), character, async ([, key], at, other) => {
        const token = tokenOf(CLAIMS, key)
        const place = at % token.length
        const changed = token.slice(0, place) + other + token.slice(place + 1)
        if (bytes(changed) !== bytes(token)) expect(await problemOf(changed)).not.toBe('none')
      }),
      { numRuns: 300 },
    )
  })

  it('never makes the verifier throw, whatever it is', async () => {
    const json = fc.json({ maxDepth: 2 }).map((text) => Buffer.from(text).toString('base64url'))
    const part = fc.oneof(json, fc.constant(head), fc.constant(body), fc.string({ maxLength: 20 }))
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        expect(await problemOf(parts.join('.'))).not.toBe('none')
      }),
      { numRuns: 500 },
    )
  })
})
